#include "fixed/arithmetic.h"
#include "fixed/rate.h"

#include <popsgd/fixed.h>
#include <popsgd/parts.h>

#include <algorithm>
#include <bit>
#include <cstdint>

namespace popsgd {
namespace {

using fixed::product;
using fixed::rate_of;

// 1 / (1 + t / horizon) = horizon / (horizon + t), to 31 bits.
FixedRate inverse(StepCounter t, StepCounter horizon) {
  std::uint64_t dividend = horizon.bits();
  std::uint64_t rest = t.bits();
  if ((dividend | rest) >> 63 != 0) {  // halves, so that the sum fits
    dividend = std::max<std::uint64_t>(dividend / 2, 1);
    rest /= 2;
  }
  // All 64 bits of the dividend by the 32 highest of the sum.
  const int up = std::countl_zero(dividend);
  const int down = 32 - std::countl_zero(dividend + rest);
  const std::uint64_t divisor = down > 0 ? (dividend + rest) >> down : (dividend + rest) << -down;
  return rate_of((dividend << up) / divisor, up + down);
}

// The same, to the power of 1/2: the root of a mantissa of 63 or 64 bits and an even exponent.
FixedRate inverse_root(StepCounter t, StepCounter horizon) {
  const FixedRate ratio = inverse(t, horizon);
  const int up = ratio.shift % 2 == 0 ? 32 : 31;
  return rate_of(fixed::square_root(std::uint64_t{ratio.mantissa} << up), (ratio.shift + up) / 2);
}

}  // namespace

FixedRate FixedSchedule::rate(StepCounter t) const noexcept {
  if constexpr (!has(Part::schedule)) return eta;
  switch (shape) {
    case Shape::constant:
      break;
    case Shape::inverse:
      return product(eta, inverse(t, horizon));
    case Shape::inverse_sqrt:
      return product(eta, inverse_root(t, horizon));
    case Shape::piecewise: {
      FixedRate now = eta;
      for (std::size_t k = 0; k < breakpoint_count && t.bits() >= breakpoints[k].steps.bits(); ++k) {
        now = product(eta, breakpoints[k].factor);
      }
      return now;
    }
  }
  return eta;
}

bool FixedSchedule::settled(StepCounter t) const noexcept {
  if constexpr (!has(Part::schedule)) return false;
  return fixed::less(rate(t), settle);
}

Status FixedSchedule::check() const noexcept {
  if (eta.shift < 0 || settle.shift < 0 || horizon.bits() == 0) return Status::invalid_rate;
  if constexpr (!has(Part::schedule)) {
    const bool constant = shape == Shape::constant && settle == FixedRate{};
    return constant ? Status::ok : Status::unknown_format;
  }
  if (breakpoint_count > kMaxBreakpoints) return Status::invalid_size;
  for (std::size_t k = 0; k < breakpoint_count; ++k) {
    if (breakpoints[k].factor.shift < 0) return Status::invalid_rate;
    if (k > 0 && breakpoints[k].steps.bits() <= breakpoints[k - 1].steps.bits()) return Status::invalid_rate;
  }
  return Status::ok;
}

}  // namespace popsgd
