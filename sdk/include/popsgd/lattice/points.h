// A model's values as points of a lattice: whole multiples of a step 2^exponent, by common dither.
//
//   point of y = floor(y / step + u)      u uniform over [0, 1), the same for both partners of an exchange
//
// The mean over u is y / step: no bias. As both use the same u, the difference of their points is a stochastic
// rounding of the difference of their values. Its error has variance s^2 / 6 where that is spread over many steps, as
// of two models with the s^2 / 12 of subtractive dither each; less where it is small; and none where they agree.
//
// A point is a pure function of value, step and u: who keeps the values can make the points again at any time.
#pragma once

#include <popsgd/gradient.h>
#include <popsgd/lattice/weyl.h>
#include <popsgd/numeric.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::lattice {

using Points = std::span<std::int32_t>;
using ConstPoints = std::span<const std::int32_t>;

/// Points are clamped to +-kFurthest, on both sides alike. A float, too; and so far below 2^30 that the difference of
/// two points fits 32 bits, even if one is decoded, which may be 2^15 further.
inline constexpr std::int32_t kFurthest = (1 << 30) - (1 << 15);

/// Steps are 2^-kMostExponent to 2^kMostExponent: their inverses are normal floats. Whatever a partner says, others are
/// taken for the nearest of these.
inline constexpr int kMostExponent = 120;
[[nodiscard]] constexpr int within_reach(int exponent) {
  return exponent < -kMostExponent ? -kMostExponent : exponent > kMostExponent ? kMostExponent : exponent;
}

/// Points that the stack holds at a time where they are only passed on. A multiple of 8, so that they end at a byte.
inline constexpr std::size_t kSlice = kScarce ? 64 : 128;

/// A view of values: floats, or integers in units of 2^-fraction.
class Values {
 public:
  explicit constexpr Values(ConstParams values) : floats_(values.data()), size_(values.size()) {}
  constexpr Values(ConstPoints values, int fraction)
      : integers_(values.data()), size_(values.size()), fraction_(fraction) {}

  [[nodiscard]] constexpr std::size_t size() const { return size_; }
  [[nodiscard]] constexpr bool integer() const { return !held(Numeric::float32) || integers_ != nullptr; }
  [[nodiscard]] constexpr int fraction() const { return fraction_; }
  [[nodiscard]] constexpr ConstParams floats() const { return {floats_, size_}; }
  [[nodiscard]] constexpr ConstPoints integers() const { return {integers_, size_}; }
  [[nodiscard]] constexpr Values part(std::size_t offset, std::size_t length) const {
    return integer() ? Values(ConstPoints{integers_ + offset, length}, fraction_)
                     : Values(ConstParams{floats_ + offset, length});
  }

 private:
  const float* floats_ = nullptr;
  const std::int32_t* integers_ = nullptr;
  std::size_t size_ = 0;
  int fraction_ = 0;
};

/// Multiples of 2^exponent, dithered.
struct Lattice {
  int exponent = 0;
  Dither dither{};

  /// The lattice of the values from the k-th on.
  [[nodiscard]] constexpr Lattice from(std::size_t k) const { return {exponent, dither.from(k)}; }
};

/// The points of `values`, as many; the two must not overlap. Floats and integers of the same values have the same
/// points, whatever the compiler fuses: nothing is rounded but u, and the fraction of a step, to 30 binary places if
/// it is a float's. A value beyond the furthest point is that point. So is an infinity, and a NaN by its sign: so far
/// from any partner that the checksum will tell. Integers are shifted by exponent + fraction, to the left if that is
/// negative; beyond 31 as by 31.
void quantise(const Values& values, Lattice lattice, Points points) noexcept;

/// The finest step that makes sense: of integers, one unit; of floats, the last place of the largest, at which no
/// point comes near the furthest. A sender takes no finer one: models that agree for long would else end at points
/// that are all clamped, and never learn that they differ again.
[[nodiscard]] int finest_exponent(const Values& values) noexcept;

/// 2^exponent, for -126 <= exponent <= 127.
[[nodiscard]] float power_of_two(int exponent) noexcept;

}  // namespace popsgd::lattice
