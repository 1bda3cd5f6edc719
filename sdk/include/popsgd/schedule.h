// Step-size schedules.
#pragma once

#include <popsgd/counter.h>
#include <popsgd/status.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace popsgd {

/// The step size as a function of a count of steps t (an agent's own, or gossip-averaged: the caller chooses
/// which counter it hands in).
///
///     constant       eta
///     inverse        eta / (1 + t / horizon)
///     inverse_sqrt   eta / sqrt(1 + t / horizon)
///     piecewise      eta times the factor of the last breakpoint at or before t, 1 before the first
struct Schedule {
  enum class Shape : std::uint8_t { constant, inverse, inverse_sqrt, piecewise };
  struct Breakpoint {
    double steps = 0;  ///< from this count on,
    float factor = 1;  ///< the rate is eta times this
  };
  static constexpr std::size_t kMaxBreakpoints = 8;

  Shape shape = Shape::constant;
  float eta = 0.1F;    ///< the step size at t = 0; finite, >= 0
  double horizon = 1;  ///< the count over which the inverse shapes decay; finite, > 0
  std::size_t breakpoint_count = 0;
  std::array<Breakpoint, kMaxBreakpoints> breakpoints{};  ///< the first `breakpoint_count`, ascending
  float settle =
      0;  ///< a step size; an agent whose own is below it averages without stepping; finite, >= 0; 0: never

  /// The step size after `t` steps.
  [[nodiscard]] float rate(StepCounter t) const noexcept;

  /// Whether that is below `settle`: no more steps are taken. What there still is to gain lies in averaging: an agent's
  /// distance from the mean model is the noise of its last steps.
  [[nodiscard]] bool settled(StepCounter t) const noexcept { return rate(t) < settle; }

  /// invalid_rate where a value is outside the range stated at its field or breakpoints do not ascend, invalid_size
  /// for more than kMaxBreakpoints.
  [[nodiscard]] Status check() const noexcept;
};

}  // namespace popsgd
