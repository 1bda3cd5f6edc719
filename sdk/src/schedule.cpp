#include <popsgd/schedule.h>

#include <cmath>

namespace popsgd {

float Schedule::rate(StepCounter t) const noexcept {
  switch (shape) {
    case Shape::constant:
      break;
    case Shape::inverse:
      return static_cast<float>(static_cast<double>(eta) / (1.0 + t.steps() / horizon));
    case Shape::inverse_sqrt:
      return static_cast<float>(static_cast<double>(eta) / std::sqrt(1.0 + t.steps() / horizon));
    case Shape::piecewise: {
      float factor = 1;
      for (std::size_t k = 0; k < breakpoint_count && t.steps() >= breakpoints[k].steps; ++k) {
        factor = breakpoints[k].factor;
      }
      return eta * factor;
    }
  }
  return eta;
}

Status Schedule::check() const noexcept {
  const auto valid = [](double value) { return std::isfinite(value) && value >= 0; };
  if (!valid(static_cast<double>(eta)) || !valid(static_cast<double>(settle))) return Status::invalid_rate;
  if (!valid(horizon) || horizon == 0) return Status::invalid_rate;
  if (breakpoint_count > kMaxBreakpoints) return Status::invalid_size;
  for (std::size_t k = 0; k < breakpoint_count; ++k) {
    if (!valid(breakpoints[k].steps) || !valid(static_cast<double>(breakpoints[k].factor))) {
      return Status::invalid_rate;
    }
    if (k > 0 && breakpoints[k].steps <= breakpoints[k - 1].steps) return Status::invalid_rate;
  }
  return Status::ok;
}

}  // namespace popsgd
