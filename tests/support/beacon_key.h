// A key of a swarm for tests of discovery, without cryptography: whoever reads this can forge its codes, no test tries.
#pragma once

#include <popsgd/crc32c.h>
#include <popsgd/discovery/beacon.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::test {

/// Accepts its epoch and the one before. Counts the codes that it computes, which is what a flood must not drive.
class BeaconKey final : public discovery::BeaconKey {
 public:
  explicit BeaconKey(std::uint16_t epoch, std::uint32_t secret = 0x5EC2E7) : epoch_(epoch), secret_(secret) {}

  [[nodiscard]] std::uint16_t epoch() const noexcept override { return epoch_; }
  [[nodiscard]] bool accepts(std::uint16_t epoch) const noexcept override {
    return epoch == epoch_ || epoch == static_cast<std::uint16_t>(epoch_ - 1);
  }
  [[nodiscard]] discovery::BeaconCode code(std::span<const std::byte> message) noexcept override {
    return code_of(epoch_, message);
  }
  [[nodiscard]] bool verify(std::uint16_t epoch, std::span<const std::byte> message,
                            const discovery::BeaconCode& code) noexcept override {
    return code == code_of(epoch, message);
  }

  std::uint32_t computed = 0;

 private:
  discovery::BeaconCode code_of(std::uint16_t epoch, std::span<const std::byte> message) {
    ++computed;
    discovery::BeaconCode code{};
    std::uint32_t so_far = secret_ ^ epoch;
    for (std::size_t k = 0; k < code.size(); ++k) {
      if (k % 4 == 0) so_far = crc32c(message, so_far + 1);
      code[k] = static_cast<std::uint8_t>(so_far >> (8 * (k % 4)));
    }
    return code;
  }

  std::uint16_t epoch_;
  std::uint32_t secret_;
};

/// Makes the checksum of an announcement right again.
inline void correct_checksum(discovery::AnnouncementBytes& bytes) {
  const std::uint32_t right = crc32c(std::span<const std::byte>(bytes).first(44));
  for (std::size_t k = 0; k < 4; ++k) bytes[44 + k] = static_cast<std::byte>(right >> (8 * k) & 0xFFU);
}

}  // namespace popsgd::test
