// How an agent learns by itself: one local step at a time, of a model of either kind.
#pragma once

#include "fixed/arithmetic.h"

#include <popsgd/agent.h>
#include <popsgd/random.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace popsgd {

class Trainer {
 public:
  Trainer() = default;
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;
  Trainer(Trainer&&) = delete;
  Trainer& operator=(Trainer&&) = delete;

  /// One step of `model`, of the kind it was made for, by the size that is due at `time`; the loss of its batch before it.
  virtual float step(const Model& model, StepCounter time) = 0;
  /// Whether the step size that is due at `time` is one at which no steps are taken any more.
  [[nodiscard]] virtual bool settled(StepCounter time) const = 0;
  /// The model is another: what led elsewhere is forgotten.
  virtual void forget() = 0;
  /// Values cut off at the ends of their types so far.
  [[nodiscard]] virtual std::uint64_t saturated() const = 0;

 protected:
  ~Trainer() = default;  // lies in the agent's workspace, and ends with it
};

// A virtual destructor would refer to operator delete, which a device may not have; nobody deletes these.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor)
class FloatTrainer final : public Trainer {
 public:
  FloatTrainer(const AgentConfig& config, const Gradient& gradient, BatchSource source, Params velocity,
               Scratch scratch)
      : config_(config), gradient_(gradient), source_(source), velocity_(velocity), scratch_(scratch) {}

  float step(const Model& model, StepCounter time) override {
    return config_.sgd.step(gradient_, source_.function(source_.context), config_.schedule.rate(time),
                            model.floats(), velocity_, scratch_);
  }
  [[nodiscard]] bool settled(StepCounter time) const override { return config_.schedule.settled(time); }
  void forget() override { std::fill(velocity_.begin(), velocity_.end(), 0.0F); }
  [[nodiscard]] std::uint64_t saturated() const override { return 0; }

 private:
  const AgentConfig& config_;
  Gradient gradient_;
  BatchSource source_;
  Params velocity_;
  Scratch scratch_;
};

template <typename Weight>
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor)
class FixedTrainer final : public Trainer {
 public:
  FixedTrainer(std::uint64_t seed, const FixedGradient<Weight>& gradient, FixedBatchSource source,
               const FixedSchedule& schedule, std::span<std::int32_t> scratch)
      : gradient_(gradient),
        source_(source),
        schedule_(schedule),
        scratch_(scratch),
        noise_(seed, Purpose::rounding) {}

  float step(const Model& model, StepCounter time) override {
    std::span<Weight> weights;
    if constexpr (sizeof(Weight) == 2) {
      weights = model.int16s();
    } else {
      weights = model.int8s();
    }
    const std::int32_t loss = gradient_(weights, source_.function(source_.context), schedule_.rate(time),
                                        noise_, scratch_, saturated_);
    return fixed::to_float(loss, 16);
  }
  [[nodiscard]] bool settled(StepCounter time) const override { return schedule_.settled(time); }
  void forget() override {}
  [[nodiscard]] std::uint64_t saturated() const override { return saturated_; }

 private:
  FixedGradient<Weight> gradient_;
  FixedBatchSource source_;
  FixedSchedule schedule_;
  std::span<std::int32_t> scratch_;
  Random noise_;
  std::uint64_t saturated_ = 0;
};

}  // namespace popsgd
