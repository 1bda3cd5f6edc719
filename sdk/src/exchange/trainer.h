// How an agent learns by itself: one local step at a time, of a model of either kind.
#pragma once

#include "fixed/arithmetic.h"

#include <popsgd/agent.h>
#include <popsgd/random.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>

namespace popsgd {

class Trainer {
 public:
  Trainer() = default;
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;
  Trainer(Trainer&&) = delete;
  Trainer& operator=(Trainer&&) = delete;

  /// One step of `model`, of the kind it was made for, by the size that is due at `time`.
  virtual void step(const Model& model, StepCounter time) = 0;
  /// Of the last step's batch, before it.
  [[nodiscard]] virtual float loss() const = 0;
  /// Whether the step size that is due at `time` is one at which no steps are taken any more.
  [[nodiscard]] virtual bool settled(StepCounter time) const = 0;
  /// The model is another: what led elsewhere is forgotten.
  virtual void forget() = 0;
  /// Values cut off at the ends of their types so far.
  [[nodiscard]] virtual std::uint64_t saturated() const = 0;

 protected:
  ~Trainer() = default;  // lies in the agent's workspace, and ends with it
};

class FloatTrainer {
 public:
  FloatTrainer(const AgentConfig& config, const Gradient& gradient, BatchSource source, Params velocity,
               Scratch scratch)
      : config_(config), gradient_(gradient), source_(source), velocity_(velocity), scratch_(scratch) {}

  void step(const Model& model, StepCounter time) {
    loss_ = config_.sgd.step(gradient_, source_.function(source_.context), config_.schedule.rate(time),
                             model.floats(), velocity_, scratch_);
  }
  [[nodiscard]] float loss() const { return loss_; }
  [[nodiscard]] bool settled(StepCounter time) const { return config_.schedule.settled(time); }
  void forget() { std::fill(velocity_.begin(), velocity_.end(), 0.0F); }
  // NOLINTNEXTLINE(readability-convert-member-functions-to-static): asked of every trainer
  [[nodiscard]] std::uint64_t saturated() const { return 0; }

 private:
  const AgentConfig& config_;
  Gradient gradient_;
  BatchSource source_;
  Params velocity_;
  Scratch scratch_;
  float loss_ = 0;
};

template <typename Weight>
class FixedTrainer {
 public:
  FixedTrainer(std::uint64_t seed, const FixedGradient<Weight>& gradient, FixedBatchSource source,
               const FixedSchedule& schedule, std::span<std::int32_t> scratch)
      : gradient_(gradient),
        source_(source),
        schedule_(schedule),
        scratch_(scratch),
        noise_(seed, Purpose::rounding) {}

  void step(const Model& model, StepCounter time) {
    std::span<Weight> weights;
    if constexpr (sizeof(Weight) == 2) {
      weights = model.int16s();
    } else {
      weights = model.int8s();
    }
    loss_ = gradient_(weights, source_.function(source_.context), schedule_.rate(time), noise_, scratch_,
                      saturated_);
  }
  [[nodiscard]] float loss() const { return fixed::to_float(loss_, 16); }
  [[nodiscard]] bool settled(StepCounter time) const { return schedule_.settled(time); }
  void forget() {}
  [[nodiscard]] std::uint64_t saturated() const { return saturated_; }

 private:
  FixedGradient<Weight> gradient_;
  FixedBatchSource source_;
  FixedSchedule schedule_;
  std::span<std::int32_t> scratch_;
  Random noise_;
  std::uint64_t saturated_ = 0;
  std::int32_t loss_ = 0;
};

/// Either as a Trainer.
template <class Kind>
// A virtual destructor would refer to operator delete, which a device may not have; nobody deletes these.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor)
class TrainerOf final : public Trainer {
 public:
  template <typename... Arguments>
  explicit TrainerOf(const Arguments&... arguments) : kind_(arguments...) {}

  void step(const Model& model, StepCounter time) override { kind_.step(model, time); }
  [[nodiscard]] float loss() const override { return kind_.loss(); }
  [[nodiscard]] bool settled(StepCounter time) const override { return kind_.settled(time); }
  void forget() override { kind_.forget(); }
  [[nodiscard]] std::uint64_t saturated() const override { return kind_.saturated(); }

 private:
  Kind kind_;
};

/// How an agent holds a trainer: where all are of one kind, as what it is, so that nothing is left virtual.
inline constexpr bool kOneKind = !held(Numeric::float32) && held(Numeric::int16) != held(Numeric::int8);
template <class Kind>
using Held = std::conditional_t<kOneKind, Kind, TrainerOf<Kind>>;
using HeldTrainer = std::conditional_t<
    kOneKind, std::conditional_t<held(Numeric::int16), FixedTrainer<std::int16_t>, FixedTrainer<std::int8_t>>,
    Trainer>;

/// Null for one of a kind that is not held.
template <class Kind>
HeldTrainer* as_held(Kind* trainer) {
  if constexpr (std::is_convertible_v<Kind*, HeldTrainer*>)
    return trainer;
  else
    return nullptr;
}

}  // namespace popsgd
