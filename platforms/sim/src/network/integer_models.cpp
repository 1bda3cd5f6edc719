#include "network/integer_models.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace popsgd::sim {
namespace {

template <typename Weight>
Weight within(double units, std::uint64_t& saturated) {
  constexpr auto kLeast = static_cast<double>(std::numeric_limits<Weight>::min());
  constexpr auto kMost = static_cast<double>(std::numeric_limits<Weight>::max());
  const double limited = std::clamp(units, kLeast, kMost);
  if (limited != units) ++saturated;
  return static_cast<Weight>(limited);
}

StepCounter counter(double steps) {
  return StepCounter::from_bits(static_cast<std::uint64_t>(std::llround(steps * 65536)));
}

}  // namespace

IntegerModel::IntegerModel(Numeric numeric, Params mirror, const Gradient& gradient,
                           std::function<const Batch&()> draw, Scratch scratch)
    : numeric_(numeric),
      layout_{{{static_cast<std::uint32_t>(mirror.size()),
                numeric == Numeric::int16 ? kFraction16 : kFraction8}}},
      mirror_(mirror),
      gradient_(gradient),
      draw_(std::move(draw)),
      scratch_(scratch),
      int16s_(numeric == Numeric::int16 ? mirror.size() : 0),
      int8s_(numeric == Numeric::int8 ? mirror.size() : 0) {
  read_mirror();
}

Status IntegerModel::init(Agent& agent, const AgentConfig& config, const FixedSchedule& schedule,
                          std::span<std::byte> workspace, Time now) {
  const FixedBatchSource source{
      [](void* batch) noexcept -> const FixedBatch& { return *static_cast<FixedBatch*>(batch); }, &nothing_};
  if (numeric_ == Numeric::int16) {
    return agent.init(config, int16s_, layout_, fixed_gradient<std::int16_t>(), source, schedule, {},
                      workspace, now);
  }
  return agent.init(config, int8s_, layout_, fixed_gradient<std::int8_t>(), source, schedule, {}, workspace,
                    now);
}

void IntegerModel::read_mirror() {
  std::uint64_t saturated = 0;
  for (std::size_t k = 0; k < mirror_.size(); ++k) {
    const double units = std::nearbyint(std::ldexp(static_cast<double>(mirror_[k]), layout_[0].fraction));
    if (numeric_ == Numeric::int16)
      int16s_[k] = within<std::int16_t>(units, saturated);
    else
      int8s_[k] = within<std::int8_t>(units, saturated);
  }
  write_mirror(0, mirror_.size());
}

void IntegerModel::write_mirror(std::size_t offset, std::size_t length) {
  for (std::size_t k = offset; k < offset + length; ++k) {
    const int units = numeric_ == Numeric::int16 ? int16s_[k] : int8s_[k];
    mirror_[k] = std::ldexp(static_cast<float>(units), -layout_[0].fraction);
  }
}

template <typename Weight>
FixedGradient<Weight> IntegerModel::fixed_gradient() const {
  return {.function = step<Weight>, .context = this, .parameters = mirror_.size()};
}

// x <- floor(x - eta grad + u), u uniform over [0, 1).
template <typename Weight>
std::int32_t IntegerModel::step(const void* self, std::span<Weight> x, const FixedBatch&, FixedRate rate,
                                Random& noise, std::span<std::int32_t>, std::uint64_t& saturated) noexcept {
  const IntegerModel& model = *static_cast<const IntegerModel*>(self);
  const float eta = std::ldexp(static_cast<float>(rate.mantissa), -rate.shift);
  const int fraction = model.layout_[0].fraction;
  const Params gradient = model.scratch_.first(x.size());
  const float loss = model.gradient_(model.mirror_, model.draw_(), 0, std::ldexp(eta, fraction), gradient,
                                     model.scratch_.subspan(x.size()));
  for (std::size_t k = 0; k < x.size(); ++k) {
    const double change = static_cast<double>(noise.uniform()) - static_cast<double>(gradient[k]);
    const double moved = std::floor(static_cast<double>(x[k]) + change);  // x + u < x + 1: not in float
    x[k] = within<Weight>(moved, saturated);
    model.mirror_[k] = std::ldexp(static_cast<float>(x[k]), -fraction);
  }
  constexpr float kMost = 32767;
  return static_cast<std::int32_t>(std::clamp(loss, -kMost, kMost) * 65536);
}

FixedSchedule fixed_schedule(const Schedule& schedule) {
  FixedSchedule fixed{.shape = schedule.shape,
                      .eta = FixedRate::from(static_cast<double>(schedule.eta)),
                      .horizon = counter(schedule.horizon),
                      .breakpoint_count = schedule.breakpoint_count};
  for (std::size_t k = 0; k < schedule.breakpoint_count; ++k) {
    const Schedule::Breakpoint& at = schedule.breakpoints[k];
    fixed.breakpoints[k] = {counter(at.steps), FixedRate::from(static_cast<double>(at.factor))};
  }
  return fixed;
}

}  // namespace popsgd::sim
