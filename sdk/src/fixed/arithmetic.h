// Rounding, saturation and roots of integers.
#pragma once

#include <popsgd/numeric.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

namespace popsgd::fixed {

/// value * 2^-shift to nearest, halves upwards; |value| < 2^62, shift 0 to 62.
[[nodiscard]] constexpr std::int64_t shift_right(std::int64_t value, int shift) {
  return (value + (std::int64_t{1} << shift >> 1)) >> shift;
}

/// value * 2^shift to nearest; |value| < 2^62, shift -62 and up as far as there is room.
[[nodiscard]] constexpr std::int64_t shift_left(std::int64_t value, int shift) {
  return shift < 0 ? shift_right(value, -shift) : value << shift;
}

/// The ends of a signed integer.
template <typename T>
inline constexpr std::int32_t kMost = std::numeric_limits<T>::max();
template <typename T>
inline constexpr std::int32_t kLeast = -kMost<T> - 1;

/// The value of T nearest to `value`; one more in `saturated` if that is another.
template <typename T>
[[nodiscard]] constexpr T saturate(std::int64_t value, std::uint64_t& saturated) {
  const std::int64_t kept = std::clamp<std::int64_t>(value, kLeast<T>, kMost<T>);
  if (kept != value) ++saturated;
  return static_cast<T>(kept);
}

/// value * 2^-shift to nearest, saturating; |value| < 2^62, shift -31 to 62.
template <typename T>
[[nodiscard]] constexpr T rescale(std::int64_t value, int shift, std::uint64_t& saturated) {
  if (shift >= 0) return saturate<T>(shift_right(value, shift), saturated);
  // Beyond 2^31 it saturates either way; up to there it may be shifted by 31.
  constexpr std::int64_t kEnough = std::int64_t{1} << 31;
  return saturate<T>(std::clamp(value, -kEnough, kEnough) << -shift, saturated);
}

/// value * 2^-fraction as a float, for fractions up to 31: nothing but the value is rounded, and nothing is multiplied.
[[nodiscard]] constexpr float to_float(std::int32_t value, int fraction) {
  const auto places = static_cast<std::uint32_t>(fraction) << 23;
  return value == 0 ? 0.0F
                    : std::bit_cast<float>(std::bit_cast<std::uint32_t>(static_cast<float>(value)) - places);
}

/// dividend / divisor, the divisor below 2^63. Without an instruction for it the compiler's function is a large one.
[[nodiscard]] constexpr std::uint64_t quotient(std::uint64_t dividend, std::uint64_t divisor) {
  if constexpr (!kScarce) return dividend / divisor;
  std::uint64_t rest = 0;
  for (int bit = 0; bit < 64; ++bit) {
    rest = rest << 1 | dividend >> 63;
    dividend <<= 1;
    if (rest < divisor) continue;
    rest -= divisor;
    ++dividend;
  }
  return dividend;
}

/// The largest r with r^2 <= x, bit after bit.
[[nodiscard]] constexpr std::uint32_t square_root(std::uint64_t x) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31; bit != 0; bit >>= 1) {
    if ((root | bit) * (root | bit) <= x) root |= bit;
  }
  return static_cast<std::uint32_t>(root);
}

}  // namespace popsgd::fixed
