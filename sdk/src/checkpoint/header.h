// The header of a checkpoint: what the payload is, and that both are entire.
#pragma once

#include <popsgd/inspect.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace popsgd::checkpoint {

inline constexpr std::uint16_t kVersion = 1;
inline constexpr std::size_t kHeaderLength = 44;
using HeaderBytes = std::array<std::byte, kHeaderLength>;

struct Header {
  std::uint32_t parameters = 0;  ///< count
  std::uint64_t fingerprint = 0;
  std::uint64_t sequence = 0;
  std::uint32_t records = 0;      ///< bytes
  std::uint32_t payload_crc = 0;  ///< CRC-32C of the payload, without what fills its last page

  /// Bytes of payload: parameters, step counter, records.
  [[nodiscard]] constexpr std::uint64_t payload() const noexcept {
    return std::uint64_t{4} * parameters + 8 + records;
  }
};

[[nodiscard]] HeaderBytes encode(const Header& header) noexcept;

/// Nothing if the bytes are not an entire header of this version.
[[nodiscard]] std::optional<Header> decode(const HeaderBytes& bytes) noexcept;

/// What of a header the bytes are: entire, blank, foreign, version or header_damaged.
[[nodiscard]] Condition condition_of(const HeaderBytes& bytes) noexcept;

/// As an erased slot reads: all 0xFF or all 0x00.
[[nodiscard]] bool is_blank(const HeaderBytes& bytes) noexcept;

/// Whether `a` was saved after `b`: compared on a circle (RFC 1982), so that 0 follows 2^64 - 1.
[[nodiscard]] constexpr bool is_newer(std::uint64_t a, std::uint64_t b) noexcept {
  return a != b && a - b < std::uint64_t{1} << 63;
}

}  // namespace popsgd::checkpoint
