// CRC-32C: finds what storage and links do to bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::numeric {

/// CRC-32C (Castagnoli's polynomial 0x1EDC6F41, reflected; RFC 3720, section 12.1 and appendix B.4) of the bytes that
/// gave `so_far`, followed by `bytes`: crc32c(b, crc32c(a)) is the checksum of a then b. Of no bytes: 0.
/// Finds every burst of up to 32 bits. Takes the fastest way the compiler's target has.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t so_far = 0) noexcept;

/// The same by a table of 64 bytes, two look-ups a byte.
[[nodiscard]] std::uint32_t crc32c_small(std::span<const std::byte> bytes, std::uint32_t so_far = 0) noexcept;

/// The same by tables of 8 kB, eight independent look-ups for eight bytes (slicing-by-8: Kounavis and Berry,
/// ISCC 2005).
[[nodiscard]] std::uint32_t crc32c_sliced(std::span<const std::byte> bytes,
                                          std::uint32_t so_far = 0) noexcept;

}  // namespace popsgd::numeric
