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

/// a < b, as values: one value may be written in several ways.
[[nodiscard]] constexpr bool less(FixedRate a, FixedRate b) {
  if (a.mantissa == 0 || b.mantissa == 0) return a.mantissa < b.mantissa;
  // In the finer of both units: what is 32 places coarser is larger, whatever the other.
  const int places = b.shift - a.shift;
  if (places >= 0) return places < 32 && std::uint64_t{a.mantissa} << places < b.mantissa;
  return places <= -32 || a.mantissa < std::uint64_t{b.mantissa} << -places;
}

}  // namespace popsgd::fixed
