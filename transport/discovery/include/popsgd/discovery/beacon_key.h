// How a beacon proves that whoever made it has the key of the swarm. Discovery knows no cryptography: the platform brings it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::discovery {

/// What a message authentication code is truncated to: 128 bits (RFC 2104, section 5: no less than half of a SHA-256).
using BeaconCode = std::array<std::uint8_t, 16>;

/// The keys of one swarm: of its epoch and, while it moves from one to the next, of the epoch before.
class BeaconKey {
 public:
  /// The lower half of the epoch in which this agent's own beacons are made.
  [[nodiscard]] virtual std::uint16_t epoch() const noexcept = 0;
  /// Whether beacons of that epoch are accepted. Costs nothing.
  [[nodiscard]] virtual bool accepts(std::uint16_t epoch) const noexcept = 0;
  /// The code of `message` in epoch(). If it cannot be computed: zeros, which nobody will accept.
  [[nodiscard]] virtual BeaconCode code(std::span<const std::byte> message) noexcept = 0;
  /// Whether `code` is that of `message` in an epoch that accepts() accepts. How long it takes does not tell where they differ.
  [[nodiscard]] virtual bool verify(std::uint16_t epoch, std::span<const std::byte> message,
                                    const BeaconCode& code) noexcept = 0;

 protected:
  BeaconKey() = default;
  BeaconKey(const BeaconKey&) = default;
  BeaconKey(BeaconKey&&) = default;
  BeaconKey& operator=(const BeaconKey&) = default;
  BeaconKey& operator=(BeaconKey&&) = default;
  ~BeaconKey() = default;  // nobody owns a key through this class
};

}  // namespace popsgd::discovery
