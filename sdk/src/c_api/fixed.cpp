#include "c_api/fixed.h"

#include <algorithm>
#include <span>

namespace popsgd::c_api {
namespace {

FixedRate read(popsgd_fixed_rate rate) {
  return {.mantissa = rate.mantissa, .shift = rate.shift};
}

popsgd_fixed_rate written(FixedRate rate) {
  return {rate.mantissa, rate.shift};
}

}  // namespace

Result<FixedSchedule> read(const popsgd_fixed_schedule& from) {
  if (from.shape > POPSGD_PIECEWISE) return Status::invalid_size;
  FixedSchedule to{.shape = static_cast<FixedSchedule::Shape>(from.shape),
                   .eta = read(from.eta),
                   .horizon = StepCounter(from.horizon),
                   .breakpoint_count = from.breakpoint_count,
                   .settle = read(from.settle)};
  const auto held =
      std::span(from.breakpoints).first<FixedSchedule::kMaxBreakpoints>();  // none without Part::schedule
  std::ranges::transform(held, to.breakpoints.begin(), [](const popsgd_fixed_breakpoint& point) {
    return FixedSchedule::Breakpoint{StepCounter(point.steps), read(point.factor)};
  });
  return to;
}

}  // namespace popsgd::c_api

popsgd_fixed_rate popsgd_fixed_rate_of(double eta) {
  return popsgd::c_api::written(popsgd::FixedRate::from(eta));
}

void popsgd_fixed_schedule_init(popsgd_fixed_schedule* schedule) {
  using namespace popsgd;
  if (schedule == nullptr) return;
  constexpr FixedSchedule kDefault{};
  *schedule = {};
  schedule->shape = static_cast<popsgd_shape>(kDefault.shape);
  schedule->eta = c_api::written(kDefault.eta);
  schedule->horizon = static_cast<std::uint32_t>(kDefault.horizon.bits() >> 16);
  for (popsgd_fixed_breakpoint& point : schedule->breakpoints)
    point.factor = c_api::written(FixedSchedule::Breakpoint{}.factor);
  schedule->settle = c_api::written(kDefault.settle);
}
