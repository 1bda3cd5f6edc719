// What an agent has when nobody is near: a model, local steps, and its half of an averaging.
#pragma once

#include "codec/frame.h"
#include "exchange/records.h"
#include "exchange/sightings.h"
#include "exchange/tensors.h"
#include "exchange/trainer.h"

#include <popsgd/agent.h>
#include <popsgd/parts.h>
#include <popsgd/privacy.h>

#include <cstdint>
#include <span>

namespace popsgd {

/// None of an agent without; nor, known to the compiler, where no agent's model is of floats.
[[nodiscard]] inline Privacy* privacy_of(const AgentConfig& config) {
  return held(Numeric::float32) ? config.privacy : nullptr;
}

/// How far an agent moves towards its partner: not, to the average, or all the way.
enum class Weight : std::uint8_t { none, half, whole };
[[nodiscard]] constexpr float value_of(Weight weight) {
  return weight == Weight::none ? 0.0F : weight == Weight::half ? 0.5F : 1.0F;
}

class Learner {
 public:
  /// Gates: one for each `gate_length` parameters.
  Learner(const AgentConfig& config, const Model& model, HeldTrainer& trainer, std::span<Gate> gates,
          std::size_t gate_length, Sightings* sightings)
      : config_(config),
        model_(model),
        trainer_(trainer),
        gates_(gates),
        gate_length_(gate_length),
        fresh_(config.fresh),
        sightings_(sightings) {}

  /// One local SGD step. settled: it takes none.
  Status step();
  /// Of the last step's batch, before it.
  [[nodiscard]] float loss() const { return trainer_.loss(); }
  /// Agent's, where busy and scratch_too_small have been ruled out.
  [[nodiscard]] Status begin_step(SideStep& aside);
  float work(SideStep& aside) {
    trainer_.step(aside.after(model_), aside.time_);
    return loss();
  }
  void end_step(const SideStep& aside);
  [[nodiscard]] bool stepping() const { return stepping_; }

  /// Those of an exchange. None if a gate has parted this agent and its last partner: further steps would take it still
  /// further away from where others are, and what it has learned does no good until it is averaged. At most three times
  /// in a row, and of partners that come unasked only as often as they are heeded.
  void take_steps();
  /// Whether its step size is below the one at which it only averages. If its counter falls back, so does this.
  [[nodiscard]] bool settled() const { return trainer_.settled(time()); }

  /// The model as others may know it; without privacy all of it.
  [[nodiscard]] const Model& shown() const {
    const Privacy* privacy = privacy_of(config_);
    return privacy == nullptr ? model_ : privacy->shown();
  }

  /// Whether the partner's block may be averaged with; remembers its distance, and where it was if they are merged.
  [[nodiscard]] Refusal judge(Stretch block, ConstParams mine, ConstParams theirs);
  /// The same of points: their distance, and whether they are within the limit. certain: they are known to have been read
  /// right. Otherwise a distance that is admitted is not remembered yet.
  [[nodiscard]] Refusal judge(Stretch block, float distance, bool within, bool certain);
  /// The agent's half. A model that is taken over is the partner's exactly: whatever was learned, or broken, before is gone.
  void merge(Stretch block, ConstParams mine, ConstParams theirs, Weight weight);
  /// Calls use(model) for all that averaging moves: the model, and with privacy also what is shown of it.
  template <typename Use>
  void each_model(Use use) const {
    use(model_);
    if (privacy_of(config_) != nullptr) use(shown());
  }
  /// The counters' average. The initiator rounds down, the responder up: the sum is kept. A gap beyond what honest
  /// agents show is only believed up to a bound. Who takes a model over takes its counter, too; who stays, stays.
  void meet_counter(StepCounter mine, StepCounter theirs, Weight weight, bool round_up);

  /// Values that a step has cut off at the ends of their types.
  [[nodiscard]] std::uint64_t saturated() const { return trainer_.saturated(); }
  [[nodiscard]] StepCounter counter() const { return counter_; }
  [[nodiscard]] float distance() const { return has(Part::gate) ? gates_.front().median() : 0; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] bool fresh() const { return fresh_; }
  [[nodiscard]] codec::Standing standing() const;
  /// An exchange begins, this agent's own offer or not.
  void begin_exchange(bool initiator);
  /// The gate has refused the partner.
  void has_refused();
  /// The partner has refused this agent's model, and says no more than that.
  void was_refused();
  /// An exchange is complete, and its partner's model had a part in it.
  void has_moved();

  /// What a checkpoint needs to know besides the model, and goes on from.
  void describe(Records& records) const;
  void resume(StepCounter counter, const Records& records);

 private:
  /// What its schedule runs on.
  [[nodiscard]] StepCounter time() const {
    return config_.schedule_counter == ScheduleCounter::gossip ? counter_ : StepCounter(steps_);
  }
  [[nodiscard]] bool gated() const { return has(Part::gate) && config_.guarding.gate; }
  void has_stepped();
  /// Root mean square of the last local step; with privacy, of any release: it is no secret.
  [[nodiscard]] float last_update() const;
  /// How far local steps have led since the last exchange.
  [[nodiscard]] float updates() const;
  void merge(Params x, ConstParams mine, ConstParams theirs, Weight weight) const;
  [[nodiscard]] bool heeds();
  [[nodiscard]] bool admits(std::size_t gate, float distance, bool certain = true);
  [[nodiscard]] bool stands_still(Stretch block, ConstParams theirs, float distance);

  const AgentConfig& config_;
  const Model& model_;
  HeldTrainer& trainer_;
  std::span<Gate> gates_;
  std::size_t gate_length_;
  StepCounter counter_{};
  std::uint64_t steps_ = 0;
  float last_update_ = 0;    // rms of the last local step, estimated
  std::uint32_t since_ = 0;  // local steps since the last exchange that ended with a judgement
  bool fresh_;
  bool stepping_ = false;  // beside the protocol
  bool replaced_ = false;  // meanwhile, by a model that was taken over

  // Only partners that this agent has drawn itself, few of which are hostile, open the gate: of those who come unasked, one
  // may come as often as it likes. An agent that never draws any must take them as they come.
  bool chosen_ = false;
  std::uint8_t refusals_ = 0;  // in a row: of such partners, by its gate
  std::uint8_t rebuffs_ = 0;   // in a row: all of its gate, and those by such partners
  std::uint8_t credit_ = 8;    // for distant partners who come unasked
  std::uint8_t grosses_ = 0;   // in a row: refusals of partners so far away that they do not count
  std::uint8_t rests_ = 0;     // in a row: exchanges without steps
  bool parted_ = false;        // by a gate, in the last exchange
  bool gross_ = false;         // in this exchange
  bool heeded_ = false;        // this exchange's partner

  // Within an exchange each gate's radius is fixed, and one distance remembered: of small blocks a partner could else
  // raise it block by block.
  struct Judged {
    std::uint32_t gate = UINT32_MAX;
    float radius = 0;
  };
  Judged first_{};
  Judged latest_{};

  Sightings* sightings_;  // none where a model has many blocks: partners seldom meet at the same one first
};

}  // namespace popsgd
