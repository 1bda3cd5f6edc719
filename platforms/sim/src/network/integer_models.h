// Agents of the network whose models are integers, and what they learn by.
#pragma once

#include "swarm.h"

#include <popsgd/agent.h>
#include <popsgd/fixed.h>
#include <popsgd/gradient.h>
#include <popsgd/model.h>

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace popsgd::sim {

/// One agent's integers, and a mirror of them in floats, by which it is measured. A step is the problem's own in float, from
/// the mirror, rounded stochastically: what integer arithmetic would make of it is FixedNetwork's affair, what becomes of
/// integers between agents is this engine's.
class IntegerModel {
 public:
  /// The mirror's values, rounded to the nearest. `draw` gives the batch of the next step.
  IntegerModel(Numeric numeric, Params mirror, const Gradient& gradient, std::function<const Batch&()> draw,
               Scratch scratch);
  IntegerModel(const IntegerModel&) = delete;  // an agent points into it
  IntegerModel& operator=(const IntegerModel&) = delete;

  [[nodiscard]] Status init(Agent& agent, const AgentConfig& config, const FixedSchedule& schedule,
                            std::span<std::byte> workspace, Time now);

  /// The integers become the mirror, and the mirror the integers.
  void read_mirror();
  void write_mirror(std::size_t offset, std::size_t length);

  static constexpr std::int8_t kFraction16 = 12;
  static constexpr std::int8_t kFraction8 = 5;

 private:
  template <typename Weight>
  [[nodiscard]] std::span<Weight> weights();
  template <typename Weight>
  static std::int32_t step(const void* self, std::span<Weight> x, const FixedBatch& batch, FixedRate rate,
                           Random& noise, std::span<std::int32_t> scratch, std::uint64_t& saturated) noexcept;
  template <typename Weight>
  [[nodiscard]] FixedGradient<Weight> fixed_gradient() const;

  Numeric numeric_;
  std::array<Tensor, 1> layout_;
  Params mirror_;
  Gradient gradient_;
  std::function<const Batch&()> draw_;
  Scratch scratch_;
  FixedBatch nothing_{};
  std::vector<std::int16_t> int16s_{};
  std::vector<std::int8_t> int8s_{};
};

/// The same schedule in integers.
[[nodiscard]] FixedSchedule fixed_schedule(const Schedule& schedule);

}  // namespace popsgd::sim
