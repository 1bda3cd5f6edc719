// The ways in which CRC-32C is computed.
#pragma once

#include <popsgd/crc32c.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::numeric {

using popsgd::crc32c;

/// By a table of 64 bytes, two look-ups a byte.
[[nodiscard]] std::uint32_t crc32c_small(std::span<const std::byte> bytes, std::uint32_t so_far = 0) noexcept;

/// The same by tables of 8 kB, eight independent look-ups for eight bytes (slicing-by-8: Kounavis and Berry,
/// ISCC 2005).
[[nodiscard]] std::uint32_t crc32c_sliced(std::span<const std::byte> bytes,
                                          std::uint32_t so_far = 0) noexcept;

}  // namespace popsgd::numeric
