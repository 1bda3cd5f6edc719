// CRC-32C: finds what storage and links do to bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd {

/// CRC-32C (Castagnoli's polynomial 0x1EDC6F41, reflected; RFC 3720, section 12.1 and appendix B.4) of the bytes that
/// gave `so_far`, followed by `bytes`: crc32c(b, crc32c(a)) is the checksum of a then b. Of no bytes: 0.
/// Finds every burst of up to 32 bits. Takes the fastest way the compiler's target has.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t so_far = 0) noexcept;

/// crc32c() of any bytes with their own checksum behind them, little-endian.
inline constexpr std::uint32_t kCrc32cResidue = 0x48674BC7U;

}  // namespace popsgd
