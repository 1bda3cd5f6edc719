// Numbers as bytes, the least significant first, on every target.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace popsgd::numeric {

/// Writes the sizeof(T) bytes at `offset`, which must lie within `into`.
template <std::unsigned_integral T>
inline void put(std::span<std::byte> into, std::size_t offset, T value) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(into.data() + offset, &value, sizeof value);
    return;
  }
  for (std::size_t k = 0; k < sizeof(T); ++k) {
    into[offset + k] = static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * k) & 0xFFU);
  }
}

/// Reads what put<T>() wrote there.
template <std::unsigned_integral T>
[[nodiscard]] inline T get(std::span<const std::byte> from, std::size_t offset) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    T value;
    std::memcpy(&value, from.data() + offset, sizeof value);
    return value;
  }
  std::uint64_t value = 0;
  for (std::size_t k = 0; k < sizeof(T); ++k) {
    value |= std::to_integer<std::uint64_t>(from[offset + k]) << (8 * k);
  }
  return static_cast<T>(value);
}

}  // namespace popsgd::numeric
