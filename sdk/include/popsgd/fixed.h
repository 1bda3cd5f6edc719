// Learning without a single float: the fixed-point counterparts of gradient.h and schedule.h. Every result is made by
// integer operations the language defines, so it is the same bits on every target and from every compiler.
#pragma once

#include <popsgd/counter.h>
#include <popsgd/parts.h>
#include <popsgd/random.h>
#include <popsgd/schedule.h>
#include <popsgd/status.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd {

/// A stretch of parameters with one scale: the value of integer w is w * 2^-fraction. A model's layout is a span of
/// these, one after the other, which together are as long as its parameters.
struct Tensor {
  std::uint32_t length = 0;
  std::int8_t fraction = 0;

  friend constexpr bool operator==(const Tensor&, const Tensor&) = default;
};

/// The samples of one stochastic gradient; views into the caller's memory.
struct FixedBatch {
  std::size_t rows = 0;
  std::span<const std::int16_t> features{};  ///< rows x inputs, row-major, in units of 2^-fraction
  std::int8_t fraction = 0;
  std::span<const std::uint32_t> labels{};  ///< rows class numbers (classification), or empty
  std::span<const std::int16_t>
      targets{};  ///< rows x outputs (regression) in units of 2^-target_fraction, or empty
  std::int8_t target_fraction = 0;
};

/// A step size eta = mantissa * 2^-shift, at most 2^32 - 1.
struct FixedRate {
  std::uint32_t mantissa = 0;
  std::int8_t shift = 0;  ///< 0 to 127

  /// `eta` to 32 significant bits, for hosts: the one place where a float comes in. What is negative or NaN gives
  /// 0, what is too large the largest.
  [[nodiscard]] static constexpr FixedRate from(double eta) {
    constexpr double kMost = 0xffff'ffffU;
    if (!(eta > 0)) return {};
    if (eta >= kMost) return {.mantissa = 0xffff'ffffU};
    FixedRate rate;
    for (; eta <= kMost / 2 && rate.shift < 127; eta *= 2) ++rate.shift;
    rate.mantissa = static_cast<std::uint32_t>(eta);
    return rate;
  }

  friend constexpr bool operator==(FixedRate, FixedRate) = default;
};

/// A step of SGD as a callback: a function and its context. Where to round is part of the arithmetic, so the function
/// does not return a gradient but takes the step itself, in place:
///
///     x <- round(x - rate * grad f(x; batch))
///
/// where grad f is the mean gradient over the batch's rows and `round` is stochastic, by numbers from `noise`: a
/// change of less than one unit would otherwise be lost at every step. It returns the batch's mean loss before the step
/// in Q15.16 (units of 2^-16), 2^31 - 1 for anything larger, and adds to `saturated` how many values
/// have been cut off at the ends of their types. A user's own model sits in the same place as a built-in one.
template <typename Weight>  // std::int16_t or std::int8_t
struct FixedGradient {
  using Function = std::int32_t (*)(const void* context, std::span<Weight> x, const FixedBatch& batch,
                                    FixedRate rate, Random& noise, std::span<std::int32_t> scratch,
                                    std::uint64_t& saturated) noexcept;

  Function function = nullptr;
  const void* context = nullptr;  ///< handed to `function`; must outlive every use of this object
  std::size_t parameters = 0;     ///< length of `x`
  std::size_t scratch = 0;        ///< 32-bit words of scratch for the largest batch that will be used

  std::int32_t operator()(std::span<Weight> x, const FixedBatch& batch, FixedRate rate, Random& noise,
                          std::span<std::int32_t> memory, std::uint64_t& saturated) const noexcept {
    return function(context, x, batch, rate, noise, memory, saturated);
  }
};

/// Schedule in integers: the shapes and formulas of schedule.h, to about 30 bits.
struct FixedSchedule {
  using Shape = Schedule::Shape;
  struct Breakpoint {
    StepCounter steps{};                                                ///< from this count on,
    FixedRate factor{.mantissa = std::uint32_t{1} << 31, .shift = 31};  ///< the rate is eta times this
  };
  static constexpr std::size_t kMaxBreakpoints = has(Part::schedule) ? Schedule::kMaxBreakpoints : 0;

  Shape shape = Shape::constant;
  FixedRate eta = FixedRate::from(0.1);  ///< the step size at t = 0
  StepCounter horizon{1};                ///< the count over which the inverse shapes decay; not 0
  std::size_t breakpoint_count = 0;
  std::array<Breakpoint, kMaxBreakpoints> breakpoints{};  ///< the first `breakpoint_count`, ascending
  FixedRate settle{};                                     ///< as Schedule's; 0: never

  /// The step size after `t` steps. What is beyond a FixedRate's range is its largest, or 0.
  [[nodiscard]] FixedRate rate(StepCounter t) const noexcept;

  /// Whether that is below `settle`, compared as integers.
  [[nodiscard]] bool settled(StepCounter t) const noexcept;

  /// invalid_rate for a negative shift, a horizon of 0 or breakpoints that do not ascend, invalid_size for more than
  /// kMaxBreakpoints.
  [[nodiscard]] Status check() const noexcept;
};

}  // namespace popsgd
