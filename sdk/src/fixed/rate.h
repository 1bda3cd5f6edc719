// Step sizes as the numbers they are: a mantissa and a power of two.
#pragma once

#include <popsgd/fixed.h>

#include <bit>
#include <cstdint>

namespace popsgd::fixed {

/// mantissa * 2^-shift with 32 significant bits; what is out of range is the largest rate, or 0.
[[nodiscard]] constexpr FixedRate rate_of(std::uint64_t mantissa, int shift) {
  constexpr int kBits = 32;
  const int excess = static_cast<int>(std::bit_width(mantissa)) - kBits;
  shift -= excess;
  if (mantissa == 0 || shift > 127) return {};
  if (shift < 0) return {.mantissa = 0xffff'ffffU};
  mantissa = excess >= 0 ? mantissa >> excess : mantissa << -excess;
  return {static_cast<std::uint32_t>(mantissa), static_cast<std::int8_t>(shift)};
}

/// a * b.
[[nodiscard]] constexpr FixedRate product(FixedRate a, FixedRate b) {
  return rate_of(std::uint64_t{a.mantissa} * b.mantissa, a.shift + b.shift);
}

}  // namespace popsgd::fixed
