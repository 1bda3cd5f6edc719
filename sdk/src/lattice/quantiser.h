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

/// points <- the first of them.
template <typename Point, typename Length>
[[gnu::always_inline]] inline void store_points(const Point& point, Length length,
                                                std::int32_t* __restrict points) {
  for (std::size_t j = 0; j < length; ++j) points[j] = point(j);
}

/// The same without vectors, in half of the operations: wherever y + u fits 32 bits, floor((y + u) / 2^shift) is the point.
template <typename Uniform>
requires(numeric::kLanes == 1)
    [[gnu::always_inline]] inline void store_points(const CoarserPoints<Uniform>& point, std::size_t length,
                                                    std::int32_t* __restrict points) {
  std::uint32_t beyond = point.shift > 30 ? 1U << 31 : 0;  // its highest bit: some |y| is 2^30 or more
  POPSGD_WRITTEN_OUT(8) for (std::size_t j = 0; j < length; ++j) {
    const auto y = static_cast<std::uint32_t>(point.y[j]);
    beyond |= y ^ y << 1;
    points[j] = static_cast<std::int32_t>(y + (point.dither.at(j) >> (32 - point.shift))) >> point.shift;
  }
  if (beyond >> 31 == 0) return;
  for (std::size_t j = 0; j < length; ++j) points[j] = point(j);
}

/// in_slices() with the points of the slice on the stack: use(k, points, length).
template <typename Point, typename Use>
[[gnu::always_inline]] inline void in_stored_slices(Point point, std::size_t count, Use use) {
  in_slices(point, count, [use](std::size_t k, const auto slice, auto length) {
    std::int32_t points[kSlice];
    store_points(slice, length, points);
    use(k, points, length);
  });
}

/// A Weyl sequence of any step.
struct Sequence {
  std::uint32_t first;
  std::uint32_t step;

  template <std::uint32_t Step>
  explicit constexpr Sequence(Weyl<Step> weyl) : first(weyl.first), step(Step) {}
  constexpr Sequence(std::uint32_t begin, std::uint32_t by) : first(begin), step(by) {}
  [[nodiscard]] constexpr std::uint32_t at(std::size_t k) const {
    return first + static_cast<std::uint32_t>(k) * step;
  }
  [[nodiscard]] constexpr Sequence from(std::size_t k) const { return {at(k), step}; }
};

/// The points of integers, for all loops over them: without vectors they gain nothing from making their own.
void integer_points(ConstPoints integers, int fraction, int exponent, Sequence uniform,
                    std::int32_t* points) noexcept;

/// Calls use(k, points, length) for slice after slice of the integers' points.
template <typename Uniform, typename Use>
[[gnu::always_inline]] inline void in_stored_slices(ConstPoints integers, int fraction, int exponent,
                                                    Uniform dither, Use use) {
  if constexpr (numeric::kLanes > 1) {
    with_points(integers, fraction, exponent, dither,
                [=](const auto point) { in_stored_slices(point, integers.size(), use); });
  } else {
    for (std::size_t k = 0; k < integers.size(); k += kSlice) {
      const std::size_t length = std::min(kSlice, integers.size() - k);
      std::int32_t points[kSlice];
      integer_points(integers.subspan(k, length), fraction, exponent, Sequence(dither.from(k)), points);
      use(k, points, length);
    }
  }
}

/// The same of values on their lattice.
template <typename Use>
[[gnu::always_inline]] inline void in_stored_slices(Values values, Lattice lattice, Use use) {
  if constexpr (numeric::kLanes > 1) {
    with_points(values, lattice, [=](const auto point) { in_stored_slices(point, values.size(), use); });
  } else {
    for (std::size_t k = 0; k < values.size(); k += kSlice) {
      const std::size_t length = std::min(kSlice, values.size() - k);
      std::int32_t points[kSlice];
      quantise(values.part(k, length), lattice.from(k), Points(points).first(length));
      use(k, points, length);
    }
  }
}

/// Calls use(k, slice, length) for slice after slice of the points: slice(j) is point k + j, made on the way where there are
/// vectors.
template <typename Use>
[[gnu::always_inline]] inline void in_slices(Values values, Lattice lattice, Use use) {
  if constexpr (numeric::kLanes > 1) {
    with_points(values, lattice, [=](const auto point) { in_slices(point, values.size(), use); });
  } else {
    in_stored_slices(values, lattice, [=](std::size_t k, const std::int32_t* points, std::size_t length) {
      use(
          k, [points](std::size_t j) { return points[j]; }, length);
    });
  }
}

}  // namespace popsgd::lattice
