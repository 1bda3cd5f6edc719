// The k-th point of a model's values, as a function that the loops over them take in: what they do with a point, they
// do in registers.
#pragma once

#include "numeric/lanes.h"

#include <popsgd/lattice/points.h>
#include <popsgd/lattice/weyl.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace popsgd::lattice {

/// Within +-kFurthest. Magnitudes are ordered as their bits are, a NaN's above all others; and a minimum of integers,
/// unlike one of floats that minds NaNs, lets the compilers make vector code.
[[gnu::always_inline]] inline float limited(float t) {
  constexpr auto kMost = std::bit_cast<std::uint32_t>(static_cast<float>(kFurthest));
  const auto bits = std::bit_cast<std::uint32_t>(t);
  return std::bit_cast<float>((bits & 0x80000000U) | std::min(bits & 0x7FFFFFFFU, kMost));
}

/// t = y / step is exact, as are its whole part (towards zero) and the fraction that is left, in (-1, 1). So the sum
/// with the dither is taken in integers, which lose nothing of u where t is large.
template <typename Uniform>
struct FloatPoints {
  const float* y;
  float inverse_step;
  Uniform dither;

  [[nodiscard]] FloatPoints from(std::size_t k) const { return {y + k, inverse_step, dither.from(k)}; }

  [[gnu::always_inline]] std::int32_t operator()(std::size_t k) const {
    const float t = limited(y[k] * inverse_step);
    const auto whole = static_cast<std::int32_t>(t);
    const auto rest = static_cast<std::int32_t>((t - static_cast<float>(whole)) * 0x1p30F);
    return whole + ((rest + static_cast<std::int32_t>(dither.at(k) >> 2)) >> 30);
  }
};

/// floor(y / 2^shift + u), 1 <= shift <= 31.
template <typename Uniform>
struct CoarserPoints {
  const std::int32_t* y;
  int shift;
  Uniform dither;

  [[nodiscard]] CoarserPoints from(std::size_t k) const { return {y + k, shift, dither.from(k)}; }

  [[gnu::always_inline]] std::int32_t operator()(std::size_t k) const {
    const std::uint32_t mask = (1U << shift) - 1;
    const std::uint32_t rest = (static_cast<std::uint32_t>(y[k]) & mask) + (dither.at(k) >> (32 - shift));
    const std::int32_t point = (y[k] >> shift) + static_cast<std::int32_t>(rest >> shift);
    return std::clamp(point, -kFurthest, kFurthest);
  }
};

/// y * 2^shift, 0 <= shift <= 31: points that are as fine as the values need no dither.
struct FinerPoints {
  const std::int32_t* y;
  int shift;

  [[nodiscard]] FinerPoints from(std::size_t k) const { return {y + k, shift}; }
  [[gnu::always_inline]] std::int32_t operator()(std::size_t k) const {
    const std::int32_t most = kFurthest >> shift;
    const auto point = static_cast<std::int32_t>(static_cast<std::uint32_t>(y[k]) << shift);
    return y[k] > most ? kFurthest : y[k] < -most ? -kFurthest : point;
  }
};

/// Calls use(point), where point(k) is the k-th point of the integers, multiples of 2^-fraction, on those of 2^exponent.
template <typename Uniform, typename Use>
[[gnu::always_inline]] inline void with_points(ConstPoints integers, int fraction, int exponent,
                                               Uniform dither, Use use) {
  const int shift = std::clamp(within_reach(exponent) + fraction, -31, 31);
  if (shift > 0)
    use(CoarserPoints<Uniform>{integers.data(), shift, dither});
  else
    use(FinerPoints{integers.data(), -shift});
}

/// The same of values on their lattice.
template <typename Use>
[[gnu::always_inline]] inline void with_points(Values values, Lattice lattice, Use use) {
  if (values.integer())
    return with_points(values.integers(), values.fraction(), lattice.exponent, lattice.dither, use);
  const float inverse_step = power_of_two(-within_reach(lattice.exponent));
  use(FloatPoints<Dither>{values.floats().data(), inverse_step, lattice.dither});
}

/// Calls use(k, slice, length) for slice after slice of `count` points: slice(j) is point(k + j). Of all but the last
/// the length is a constant: loops of vector code over it have neither beginning nor end, which would cost as much as
/// what they do. Without vectors that would only be the same code twice.
template <typename Point, typename Use>
[[gnu::always_inline]] inline void in_slices(Point point, std::size_t count, Use use) {
  std::size_t k = 0;
  if constexpr (numeric::kLanes > 1) {
    for (; k + kSlice <= count; k += kSlice)
      use(k, point.from(k), std::integral_constant<std::size_t, kSlice>{});
  }
  for (; k < count; k += kSlice) use(k, point.from(k), std::min(kSlice, count - k));
}

/// The same with the points of the slice on the stack: use(k, points, length).
template <typename Point, typename Use>
[[gnu::always_inline]] inline void in_stored_slices(Point point, std::size_t count, Use use) {
  in_slices(point, count, [use](std::size_t k, const auto slice, auto length) {
    std::int32_t points[kSlice];
    for (std::size_t j = 0; j < length; ++j) points[j] = slice(j);
    use(k, points, length);
  });
}

}  // namespace popsgd::lattice
