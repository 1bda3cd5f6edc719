#include "exchange/learner.h"

#include <popsgd/assert.h>
#include <popsgd/merge.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace popsgd {
namespace {

// Parameters looked at to estimate the size of a step: a deviation of a tenth, for a kilobyte of stack.
constexpr std::size_t kProbes = 256;

// How far a partner's counter is believed: a gap of this many steps, or of an eighth of one's own count.
constexpr std::uint64_t kCounterGap = std::uint64_t{64} << 16;

// Of the distant partners that come unasked a gate remembers one for every two that the agent has drawn itself: however often
// one comes, they are fewer than half of what it remembers.
constexpr std::uint8_t kUnasked = 2;
constexpr int kMostCredit = 8;

}  // namespace

float Learner::step() {
  POPSGD_ASSERT(source_.function != nullptr && gradient_.function != nullptr);
  const std::size_t stride = std::max<std::size_t>(1, model_.size() / kProbes);
  std::array<float, kProbes> before;
  std::size_t probes = 0;
  for (std::size_t k = 0; k < model_.size() && probes < kProbes; k += stride) before[probes++] = model_[k];

  const StepCounter time =
      config_.schedule_counter == ScheduleCounter::gossip ? counter_ : StepCounter(steps_);
  const float loss = config_.sgd.step(gradient_, source_.function(source_.context),
                                      config_.schedule.rate(time), model_, velocity_, scratch_);
  counter_.add_step();
  ++steps_;

  float squares = 0;
  for (std::size_t k = 0; k < probes; ++k) {
    const float change = model_[k * stride] - before[k];
    squares += change * change;
  }
  last_update_ = std::sqrt(squares / static_cast<float>(probes));
  return loss;
}

void Learner::begin_exchange(bool initiator) {
  chosen_ = initiator || config_.mean_wait == 0;
  if (chosen_) credit_ = static_cast<std::uint8_t>(std::min(credit_ + 1, kMostCredit));
  first_ = latest_ = {};
}

Refusal Learner::judge(Stretch block, ConstParams mine, ConstParams theirs) {
  const Refusal refusal = examine(theirs, config_.guarding.limit);
  if (refusal != Refusal::none || !config_.guarding.gate || fresh_) return refusal;
  const float distance = rms_distance(mine, theirs);
  if (!std::isfinite(distance)) {
    // If its own model has come to grief, the next partner's is better.
    fresh_ = examine(mine, std::numeric_limits<float>::infinity()) == Refusal::not_finite;
    return Refusal::too_far;
  }
  return admits(block.offset / gate_length_, distance) ? Refusal::none : Refusal::too_far;
}

Refusal Learner::judge(Stretch block, float distance, bool within) {
  Refusal refusal = within ? Refusal::none : Refusal::out_of_range;
  if (!config_.guarding.gate || fresh_) return refusal;
  if (within && !admits(block.offset / gate_length_, distance)) refusal = Refusal::too_far;
  if (refusal != Refusal::none) {
    const ConstParams own = model_.subspan(block.offset, block.length);
    fresh_ = examine(own, std::numeric_limits<float>::infinity()) == Refusal::not_finite;
  }
  return refusal;
}

bool Learner::admits(std::size_t gate, float distance) {
  for (const Judged& known : {first_, latest_})
    if (known.gate == gate) return distance <= known.radius;
  latest_ = {gate, gates_[gate].radius(last_update_, refusals_)};
  if (first_.gate == SIZE_MAX) first_ = latest_;
  const bool admitted = distance <= latest_.radius;
  if (!admitted && !chosen_) {
    if (credit_ < kUnasked) return false;
    credit_ = static_cast<std::uint8_t>(credit_ - kUnasked);
  }
  gates_[gate].remember(distance, last_update_, refusals_);
  return admitted;
}

void Learner::merge(Stretch block, ConstParams mine, ConstParams theirs, float weight) {
  const Params x = model_.subspan(block.offset, block.length);
  if (weight == 1) {
    std::copy(theirs.begin(), theirs.end(), x.begin());
  } else if (config_.averaging == Averaging::blocking && weight == 0.5F) {
    // The same sum on both sides: they end at the same model, bit for bit.
    for (std::size_t k = 0; k < x.size(); ++k) x[k] = (mine[k] + theirs[k]) * 0.5F;
  } else if (weight != 0) {
    apply_delta(x, mine, theirs, weight);
  }
}

void Learner::meet_counter(StepCounter mine, StepCounter theirs, float weight, bool round_up) {
  if (weight == 0) return;
  if (weight == 1) {
    counter_ = theirs;
    return;
  }
  const std::uint64_t most = std::max(kCounterGap, mine.bits() / 8);
  const bool ahead = theirs.bits() > mine.bits();
  const std::uint64_t gap = std::min(most, ahead ? theirs.bits() - mine.bits() : mine.bits() - theirs.bits());
  // Of an odd gap the one who is behind gains what the other loses.
  const std::uint64_t half = gap / 2 + (round_up == ahead ? gap % 2 : 0);
  const std::uint64_t now = counter_.bits();
  counter_ = StepCounter::from_bits(ahead ? now + half : now - std::min(now, half));
}

// --- standing

// Who admits everybody is not led astray by those who refuse.
codec::Standing Learner::standing() const {
  if (fresh_) return codec::Standing::fresh;
  return config_.guarding.gate && rebuffs_ >= kAstray ? codec::Standing::astray : codec::Standing::settled;
}

void Learner::has_refused() {
  if (chosen_) refusals_ = static_cast<std::uint8_t>(std::min(refusals_ + 1, 255));
  rebuffs_ = static_cast<std::uint8_t>(std::min(rebuffs_ + 1, 255));
}

void Learner::was_refused() {
  if (chosen_) rebuffs_ = static_cast<std::uint8_t>(std::min(rebuffs_ + 1, 255));
}

void Learner::has_moved() {
  if (fresh_) std::fill(velocity_.begin(), velocity_.end(), 0.0F);  // it led elsewhere
  fresh_ = false;
  refusals_ = rebuffs_ = 0;
}

// --- checkpoints

void Learner::describe(Records& records) const {
  records.gates = static_cast<std::uint32_t>(gates_.size());
  records.gate_length = static_cast<std::uint32_t>(gate_length_);
  records.last_update = last_update_;
  records.steps = steps_;
  records.fresh = fresh_ ? 1 : 0;
}

void Learner::resume(StepCounter counter, const Records& records) {
  counter_ = counter;
  steps_ = records.steps;
  fresh_ = records.fresh != 0;
  last_update_ = std::isfinite(records.last_update) ? std::fabs(records.last_update) : 0;
  for (Gate& gate : gates_) gate = gate.sound() ? gate : Gate{};
}

}  // namespace popsgd
