#include <popsgd/assert.h>
#include <popsgd/lattice/step_estimate.h>

#include <algorithm>
#include <bit>

namespace popsgd::lattice {
namespace {

constexpr int kOne = 256;
constexpr int kDecay = 39;  // -log2 0.9 = 38.91 / 256
constexpr int kTightDecay = 1;
constexpr int kTighter = 230;  // 1.492 * 2^(-230/256) = 0.80

// log2 x in units of 1/256, to the nearest, for x > 0: squaring the mantissa brings forth a binary digit of its
// logarithm (Knuth, The Art of Computer Programming 1, 1.2.2, exercise 25).
constexpr int log2(std::uint32_t x) {
  const int whole = 31 - std::countl_zero(x);
  std::uint64_t mantissa = std::uint64_t{x} << (31 - whole);  // in [1, 2), 31 binary places
  int digits = whole;
  for (int k = 0; k < 9; ++k) {
    mantissa = mantissa * mantissa >> 31;
    const bool digit = mantissa >> 32 != 0;
    digits = 2 * digits + (digit ? 1 : 0);
    if (digit) mantissa >>= 1;
  }
  return (digits + 1) >> 1;
}

// log2 of est / step: (2^(bits-1) - 1/2) / 1.5.
constexpr int log2_reach(int bits) {
  return log2((1U << bits) - 1) - log2(3);
}

constexpr std::int16_t stored(int log2) {
  return static_cast<std::int16_t>(std::clamp(log2, -127 * kOne, 127 * kOne));
}

// mantissa * 2^exponent, 24 bits of mantissa.
Distance from_float(float x) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x) & 0x7FFFFFFFU;
  const int exponent = static_cast<int>(bits >> 23);
  const std::uint32_t mantissa = (bits & 0x7FFFFFU) | (exponent > 0 ? 0x800000U : 0U);
  return {mantissa, std::max(exponent, 1) - 127 - 23};
}

}  // namespace

Distance furthest_apart(const Values& a, const Values& b) noexcept {
  POPSGD_ASSERT(a.size() == b.size() && a.integer() == b.integer() && a.fraction() == b.fraction());
  if (!a.integer()) {
    float most = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
      const float gap = a.floats()[k] - b.floats()[k];
      most = std::max(most, gap < 0 ? -gap : gap);  // in this order: a NaN is not larger
    }
    return from_float(most);
  }
  std::int64_t most = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const std::int64_t gap = std::int64_t{a.integers()[k]} - b.integers()[k];
    most = std::max(most, gap < 0 ? -gap : gap);
  }
  return {static_cast<std::uint32_t>(most), -a.fraction()};
}

void StepEstimate::observe(Distance seen, bool tight) noexcept {
  const int past = known() ? log2_ - (tight ? kTightDecay : kDecay) : -127 * kOne;
  if (seen.steps != 0)
    log2_ = stored(std::max(log2(seen.steps) + kOne * seen.exponent, past));
  else if (known())
    log2_ = stored(past);
}

int StepEstimate::exponent(int bits, int finest, bool tight) const noexcept {
  constexpr int kSlack = 2;  // what three logarithms are rounded by
  const int log2_step = log2_ - log2_reach(bits) - kSlack - (tight ? kTighter : 0);
  const int rounded_up = (log2_step + kOne - 1) >> 8;
  return std::clamp(rounded_up, std::min(finest, kMostExponent), kMostExponent);
}

void StepEstimate::widen(int bits, int exponent) noexcept {
  const int reached = kOne * exponent + log2_reach(bits);
  log2_ = stored(std::max<int>(log2_, reached) + 2 * kOne);
}

}  // namespace popsgd::lattice
