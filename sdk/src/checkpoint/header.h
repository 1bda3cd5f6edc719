// The header of a checkpoint: what the payload is, and that both are entire.
#pragma once

#include <popsgd/inspect.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::checkpoint {

inline constexpr std::uint16_t kVersion = 1;
inline constexpr std::size_t kHeaderLength = 44;

/// As it is written, but for its end: the table in sdk/README.md.
struct Header {
  std::array<char, 8> magic{'P', 'o', 'p', 'S', 'G', 'D', '\r', '\n'};
  std::uint16_t version = kVersion;
  std::uint16_t length = kHeaderLength;
  std::uint32_t parameters = 0;  ///< count
  std::uint64_t fingerprint = 0;
  std::uint64_t sequence = 0;
  std::uint32_t records = 0;      ///< bytes
  std::uint32_t payload_crc = 0;  ///< CRC-32C of the payload, without what fills its last page
  std::uint32_t crc = 0;          ///< CRC-32C of what is before it
  std::uint32_t unused = 0;       // is not written

  /// Bytes of payload: parameters, step counter, records.
  [[nodiscard, gnu::noinline]] constexpr std::uint64_t payload() const noexcept {
    return std::uint64_t{4} * parameters + 8 + records;
  }
  /// What is written of it.
  [[nodiscard]] std::span<std::byte, kHeaderLength> bytes() noexcept {
    return std::as_writable_bytes(std::span(this, 1)).first<kHeaderLength>();
  }
  [[nodiscard]] std::span<const std::byte, kHeaderLength> bytes() const noexcept {
    return std::as_bytes(std::span(this, 1)).first<kHeaderLength>();
  }
};
static_assert(sizeof(Header) == kHeaderLength + 4 && std::endian::native == std::endian::little);

/// What the bytes that were read into it are: an entire header, or one that is blank, foreign, of another version or damaged.
[[nodiscard]] Condition condition_of(const Header& header) noexcept;

/// Sets the header's own checksum.
void seal(Header& header) noexcept;

/// Whether a slot of so many bytes has room for it and its payload: see slot_size() in popsgd/checkpoint.h.
[[nodiscard]] bool fits(const Header& header, std::size_t slot) noexcept;

/// Whether `a` was saved after `b`: compared on a circle (RFC 1982), so that 0 follows 2^64 - 1.
[[nodiscard]] constexpr bool is_newer(std::uint64_t a, std::uint64_t b) noexcept {
  return a != b && a - b < std::uint64_t{1} << 63;
}

}  // namespace popsgd::checkpoint
