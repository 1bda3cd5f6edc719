#include "lattice/quantiser.h"
#include "numeric/dsp.h"

#include <popsgd/assert.h>
#include <popsgd/lattice/gap.h>

#include <algorithm>
#include <bit>

namespace popsgd::lattice {
namespace {

constexpr int kRoom = 30;  // bits of points of which two have a difference of 32

// What a float is multiplied by for a step: normal, whatever is asked for.
float step_of(int exponent) {
  return power_of_two(std::clamp(exponent, -126, 127));
}

// To where points are shifted, so that both sides' are of one step: upwards the coarser, and the finer down to the nearest.
// All are below 2^30, before and after; so are halves, and what is shifted by more than 31 is 0 by 31, too.
struct Shift {
  int up = 0;
  int down = 0;

  [[gnu::always_inline]] std::int32_t operator()(std::int32_t point) const {
    const std::uint32_t half = (1U << down) >> 1;
    return static_cast<std::int32_t>((static_cast<std::uint32_t>(point) << up) + half) >> down;
  }
};

// theirs <- sign * (theirs - mine).
void subtract(const Values& mine, Lattice lattice, std::int32_t sign, std::int32_t* theirs) {
  in_slices(mine, lattice, [=](std::size_t k, const auto slice, auto length) {
    std::int32_t* __restrict gap = theirs + k;
    for (std::size_t j = 0; j < length; ++j) gap[j] = sign * (gap[j] - slice(j));
  });
}

// The same, each shifted.
void subtract_shifted(const Values& mine, Lattice lattice, Shift shift_mine, Shift shift_theirs,
                      std::int32_t sign, std::int32_t* theirs) {
  in_slices(mine, lattice, [=](std::size_t k, const auto slice, auto length) {
    std::int32_t* __restrict out = theirs + k;
    for (std::size_t j = 0; j < length; ++j) out[j] = sign * (shift_theirs(out[j]) - shift_mine(slice(j)));
  });
}

template <typename Point, typename Length>
std::uint32_t largest(Point points, Length count, std::uint32_t most = 0) {
  for (std::size_t k = 0; k < count; ++k) {
    const std::int32_t point = points(k);
    most = std::max(most, static_cast<std::uint32_t>(point < 0 ? -point : point));
  }
  return most;
}

std::uint32_t largest(const Values& values, Lattice lattice) {
  std::uint32_t most = 0;
  in_slices(values, lattice,
            [&most](std::size_t, const auto slice, auto length) { most = largest(slice, length, most); });
  return most;
}

// Calls apply(k, rounded, length) for slice after slice of the integers, multiples of 2^exponent, rounded to
// multiples of 2^-fraction. They are values as any others: this is their points on the lattice of the units.
template <typename Apply>
void in_units(ConstPoints integers, int exponent, Rounding rounding, Apply apply) {
  in_stored_slices(integers, -exponent, -rounding.fraction, rounding.coins, apply);
}

// Integers whose units are so many places apart are beyond any model's range, and so are those further apart.
constexpr int kMostApart = 16;

// x <- keep * x + h * factor within the type's range, for |factor| = 2^shift. h is limited first, so that its
// multiple is 2^20 or a little less: beyond the range of any model, and the sum stays within 32 bits.
template <typename Integer, typename Length>
[[gnu::always_inline]] inline std::size_t accumulate(Length length, const std::int32_t* h, std::int32_t keep,
                                                     int shift, std::int32_t factor, Integer* __restrict x) {
  constexpr std::int32_t kMost = (1 << (8 * sizeof(Integer) - 1)) - 1;
  constexpr std::int32_t kLeast = -kMost - 1;
  const std::int32_t most = (1 << 20) >> shift;
  std::uint32_t saturated = 0;
  for (std::size_t j = 0; j < length; ++j) {
    const std::int32_t sum = keep * x[j] + std::min(std::max(h[j], -most), most - 1) * factor;
    const std::int32_t within = std::min(std::max(sum, kLeast), kMost);
    saturated += static_cast<std::uint32_t>(within != sum);
    x[j] = static_cast<Integer>(within);
  }
  return saturated;
}

// The same for x + h * sign, without vectors: in that many bits the sum saturates where h does.
template <typename Integer>
std::size_t add_units(std::size_t length, const std::int32_t* h, std::int32_t sign, Integer* __restrict x) {
  constexpr unsigned kBits = 8 * sizeof(Integer);
  std::uint32_t saturated = 0;
  POPSGD_WRITTEN_OUT(8) for (std::size_t j = 0; j < length; ++j) {
    const std::int32_t sum = x[j] + numeric::saturated<21>(h[j]) * sign;
    const std::int32_t within = numeric::saturated<kBits>(sum);
    saturated += static_cast<std::uint32_t>(within != sum);
    x[j] = static_cast<Integer>(within);
  }
  return saturated;
}

// The same for all slices of the integers, multiples of 2^exponent, in units of 2^-fraction.
template <typename Integer>
std::size_t accumulate(std::span<Integer> x, ConstPoints integers, int exponent, Rounding rounding,
                       std::int32_t keep, int shift, std::int32_t factor) {
  std::size_t saturated = 0;
  in_units(integers, exponent, rounding, [&](std::size_t k, const std::int32_t* units, auto length) {
    Integer* const at = x.data() + k;
    saturated += numeric::kScalar && keep == 1 && shift == 0
                     ? add_units(length, units, factor, at)
                     : accumulate(length, units, keep, shift, factor, at);
  });
  return saturated;
}

template <typename Integer>
std::size_t move_integers(std::span<Integer> x, int fraction, Gap gap, Side side, Rounding rounding) {
  POPSGD_ASSERT(x.size() == gap.values.size() && fraction >= rounding.fraction);
  const int shift = std::clamp(fraction - rounding.fraction, 0, kMostApart);
  const std::int32_t factor = side == Side::initiator ? 1 << shift : -(1 << shift);
  return accumulate(x, gap.values, gap.exponent - 1, rounding, 1, shift, factor);
}

template <typename Integer>
std::size_t adopt_integers(std::span<Integer> x, int fraction, ConstPoints points, int exponent,
                           Coins coins) {
  POPSGD_ASSERT(x.size() == points.size());
  return accumulate(x, points, exponent, {fraction, coins}, 0, 0, 1);
}

void add_scaled(std::size_t count, const std::int32_t* __restrict integers, float scale,
                float* __restrict x) {
  for (std::size_t k = 0; k < count; ++k) x[k] += static_cast<float>(integers[k]) * scale;
}

}  // namespace

Gap difference(Side side, const Values& mine, Lattice lattice, Points theirs, int their_exponent) noexcept {
  POPSGD_ASSERT(mine.size() == theirs.size());
  lattice.exponent = within_reach(lattice.exponent);
  their_exponent = within_reach(their_exponent);
  const int finer = std::min(lattice.exponent, their_exponent);
  const int apart = std::max(lattice.exponent, their_exponent) - finer;
  const bool mine_coarser = lattice.exponent > their_exponent;
  const std::int32_t sign = side == Side::initiator ? 1 : -1;
  if (numeric::kLanes > 1 && apart == 0) {
    subtract(mine, lattice, sign, theirs.data());
    return {theirs, finer};
  }
  const std::uint32_t most = mine_coarser ? largest(mine, lattice)
                                          : largest([&](std::size_t k) { return theirs[k]; }, theirs.size());
  const int up = std::clamp(kRoom - static_cast<int>(std::bit_width(most)), 0, apart);
  const Shift coarser{.up = up};
  const Shift other{.down = std::min(apart - up, 31)};
  subtract_shifted(mine, lattice, mine_coarser ? coarser : other, mine_coarser ? other : coarser, sign,
                   theirs.data());
  return {theirs, finer + apart - up};
}

void move(Params x, Gap gap, Side side) noexcept {
  POPSGD_ASSERT(x.size() == gap.values.size());
  const float half = step_of(gap.exponent - 1);
  add_scaled(x.size(), gap.values.data(), side == Side::initiator ? half : -half, x.data());
}

void move(Params x, Gap gap, Side side, Rounding rounding) noexcept {
  POPSGD_ASSERT(x.size() == gap.values.size());
  const float unit = step_of(-rounding.fraction);
  in_units(gap.values, gap.exponent - 1, rounding, [&](std::size_t k, const std::int32_t* half, auto length) {
    add_scaled(length, half, side == Side::initiator ? unit : -unit, x.data() + k);
  });
}

std::size_t move(std::span<std::int16_t> x, int fraction, Gap gap, Side side, Rounding rounding) noexcept {
  return move_integers(x, fraction, gap, side, rounding);
}

std::size_t move(std::span<std::int8_t> x, int fraction, Gap gap, Side side, Rounding rounding) noexcept {
  return move_integers(x, fraction, gap, side, rounding);
}

void adopt(Params x, ConstPoints points, int exponent) noexcept {
  POPSGD_ASSERT(x.size() == points.size());
  const float step = step_of(exponent);
  for (std::size_t k = 0; k < x.size(); ++k) x[k] = static_cast<float>(points[k]) * step;
}

std::size_t adopt(std::span<std::int16_t> x, int fraction, ConstPoints points, int exponent,
                  Coins coins) noexcept {
  return adopt_integers(x, fraction, points, exponent, coins);
}

std::size_t adopt(std::span<std::int8_t> x, int fraction, ConstPoints points, int exponent,
                  Coins coins) noexcept {
  return adopt_integers(x, fraction, points, exponent, coins);
}

}  // namespace popsgd::lattice
