// Numbers as they travel, and the checksum behind them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::discovery {

/// Writes the bytes of a message from its beginning to its end; there must be room.
class Writer {
 public:
  explicit Writer(std::span<std::byte> into) : into_(into) {}

  template <typename Unsigned>
  void number(Unsigned value) {
    for (std::size_t k = 0; k < sizeof(Unsigned); ++k)
      into_[at_++] = static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * k) & 0xFFU);
  }
  void bytes(std::span<const std::uint8_t> values) {
    for (const std::uint8_t value : values) into_[at_++] = static_cast<std::byte>(value);
  }
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  std::span<std::byte> into_;
  std::size_t at_ = 0;
};

/// Reads them; what is read must be there.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> from) : from_(from) {}

  template <typename Unsigned>
  [[nodiscard]] Unsigned number() {
    std::uint64_t value = 0;
    for (std::size_t k = 0; k < sizeof(Unsigned); ++k)
      value |= std::to_integer<std::uint64_t>(from_[at_++]) << (8 * k);
    return static_cast<Unsigned>(value);
  }
  void bytes(std::span<std::uint8_t> values) {
    for (std::uint8_t& value : values) value = number<std::uint8_t>();
  }
  void skip(std::size_t count) { at_ += count; }

 private:
  std::span<const std::byte> from_;
  std::size_t at_ = 0;
};

/// CRC-32C (Castagnoli), bit by bit: messages are short and few, a table would be larger than they are.
[[nodiscard]] inline std::uint32_t crc32c(std::span<const std::byte> bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
  }
  return ~crc;
}

/// Whether the last four bytes are the checksum of those before; false if there are no four.
[[nodiscard]] inline bool intact(std::span<const std::byte> message) {
  if (message.size() < 4) return false;
  const std::span<const std::byte> body = message.first(message.size() - 4);
  return Reader(message.subspan(body.size())).number<std::uint32_t>() == crc32c(body);
}

/// The first four bytes of a message, in the order of reading.
inline constexpr std::uint32_t magic(char a, char b, char c, char d) {
  return static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b) << 8 |
         static_cast<std::uint32_t>(c) << 16 | static_cast<std::uint32_t>(d) << 24;
}
inline constexpr std::uint32_t kBeaconMagic = magic('P', 'S', 'G', 'B');
inline constexpr std::uint32_t kHelloMagic = magic('P', 'S', 'G', 'H');
inline constexpr std::uint32_t kPeersMagic = magic('P', 'S', 'G', 'P');
inline constexpr std::uint8_t kVersion = 1;

[[nodiscard]] inline bool begins_with(std::span<const std::byte> message, std::uint32_t expected) {
  return message.size() >= 4 && Reader(message).number<std::uint32_t>() == expected;
}

}  // namespace popsgd::discovery
