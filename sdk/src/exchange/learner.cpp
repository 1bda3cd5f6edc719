#include "exchange/learner.h"

#include <popsgd/lattice/points.h>
#include <popsgd/merge.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

namespace popsgd {
namespace {

// Parameters looked at to estimate the size of a step: a deviation of a tenth, for a kilobyte of stack.
constexpr std::size_t kProbes = 256;

// How far a partner's counter is believed: a gap of this many steps, or of an eighth of one's own count.
constexpr std::uint64_t kCounterGap = std::uint64_t{64} << 16;

// Of the distant partners that come unasked one is heeded for every two that the agent has drawn itself: however often
// one comes, they are fewer than half of what a gate remembers.
constexpr std::uint8_t kUnasked = 2;
constexpr int kMostCredit = 8;

// Whoever is nearer than this part of a local step holds nobody back, and need not be seen to move. When agents have
// settled all come that close, and at last to one place.
constexpr float kNear = 1.0F / 16;

// An honest agent is not so many radii away, unless all are: then several in a row are, who count as any others.
constexpr float kGross = 3;
constexpr std::uint8_t kFewGross = 2;

constexpr std::uint8_t kMostRests = 3;

// Some parameters as they were, to tell by how much a step changes them.
template <typename T>
class Probes {
 public:
  explicit Probes(std::span<T> x) : stride_(std::max<std::size_t>(1, x.size() / kProbes)) {
    for (std::size_t k = 0; k < x.size() && count_ < kProbes; k += stride_) before_[count_++] = x[k];
  }

  /// Root mean square.
  [[nodiscard]] float change(std::span<T> x, const Tensors& tensors) const {
    float squares = 0;
    if constexpr (std::is_floating_point_v<T>) {
      for (std::size_t k = 0; k < count_; ++k) {
        const float change = x[k * stride_] - before_[k];
        squares += change * change;
      }
    } else {  // floats only once a tensor
      std::size_t k = 0;
      tensors.cut({0, x.size()}, [&](std::size_t tensor, Stretch part) {
        std::uint64_t sum = 0;
        for (; k < count_ && k * stride_ < part.offset + part.length; ++k) {
          const std::int64_t change = x[k * stride_] - before_[k];
          sum += static_cast<std::uint64_t>(change * change);
        }
        squares += static_cast<float>(sum) * lattice::power_of_two(-2 * tensors.fraction(tensor));
      });
    }
    return std::sqrt(squares / static_cast<float>(count_));
  }

 private:
  std::size_t stride_;
  std::size_t count_ = 0;
  std::array<T, kProbes> before_;
};

// Exactly what the step made of it, if nothing else has changed it.
[[maybe_unused]] float moved(float x, float before, float after) {
  return x == before ? after : x + (after - before);
}
template <typename Integer>
Integer moved(Integer x, Integer before, Integer after) {
  using Limits = std::numeric_limits<Integer>;
  return static_cast<Integer>(std::clamp<int>(x + (after - before), Limits::min(), Limits::max()));
}

template <typename T>
std::span<T> view(const Model& model) {
  if constexpr (std::is_same_v<T, float>)
    return model.floats();
  else if constexpr (std::is_same_v<T, std::int16_t>)
    return model.int16s();
  else
    return model.int8s();
}

}  // namespace

Status Learner::step() {
  if (settled()) return Status::settled;
  if constexpr (!has(Part::gate)) {  // nobody asks how far it leads
    trainer_.step(model_, time());
    has_stepped();
    return Status::ok;
  }
  model_.visit([this](auto x) {
    const Probes probes(x);
    trainer_.step(model_, time());
    has_stepped();
    last_update_ = probes.change(x, Tensors(model_));
  });
  return Status::ok;
}

void Learner::has_stepped() {
  counter_.add_step();
  ++steps_;
  if (Privacy* privacy = privacy_of(config_)) privacy->has_learned();
  if (since_ < UINT32_MAX) ++since_;
}

float Learner::last_update() const {
  const Privacy* privacy = privacy_of(config_);
  return privacy == nullptr ? last_update_ : privacy->spread();
}

// Taken as a random walk. One release there is between two exchanges, however many steps.
float Learner::updates() const {
  const std::uint32_t steps = privacy_of(config_) == nullptr ? std::max<std::uint32_t>(1, since_) : 1;
  return last_update() * std::sqrt(static_cast<float>(steps));
}

Status Learner::begin_step(SideStep& aside) {
  if (settled()) return Status::settled;
  std::ranges::copy(model_.bytes(), aside.before(model_).bytes().begin());
  std::ranges::copy(model_.bytes(), aside.after(model_).bytes().begin());
  aside.time_ = time();
  stepping_ = true;
  return Status::ok;
}

void Learner::end_step(const SideStep& aside) {
  stepping_ = false;
  if (std::exchange(replaced_, false)) return trainer_.forget();
  has_stepped();
  model_.visit([&](auto x) {
    using T = typename decltype(x)::value_type;
    const auto before = view<T>(aside.before(model_));
    const auto after = view<T>(aside.after(model_));
    last_update_ = Probes(before).change(after, Tensors(model_));
    for (std::size_t k = 0; k < x.size(); ++k) x[k] = moved(x[k], before[k], after[k]);
  });
}

void Learner::take_steps() {
  if constexpr (has(Part::gate)) {
    rests_ = parted_ && rests_ < kMostRests ? static_cast<std::uint8_t>(rests_ + 1) : 0;
    parted_ = false;
    if (rests_ > 0) return;
  }
  for (std::uint16_t k = 0; k < config_.local_steps; ++k) static_cast<void>(step());
}

// Whether what the gates say of this exchange is heeded.
bool Learner::heeds() {
  if (!heeded_ && credit_ >= kUnasked) {
    credit_ = static_cast<std::uint8_t>(credit_ - kUnasked);
    heeded_ = true;
  }
  return heeded_;
}

void Learner::begin_exchange(bool initiator) {
  if constexpr (!has(Part::gate)) return;
  gross_ = false;
  chosen_ = initiator || config_.mean_wait == 0;
  heeded_ = chosen_;
  if (chosen_) credit_ = static_cast<std::uint8_t>(std::min(credit_ + 1, kMostCredit));
  first_ = latest_ = {};
  if (sightings_ != nullptr) sightings_->forget();
}

Refusal Learner::judge(Stretch block, ConstParams mine, ConstParams theirs) {
  const Refusal refusal = examine(theirs, config_.guarding.limit);
  if (refusal != Refusal::none || !gated() || fresh_) return refusal;
  const float distance = rms_distance(mine, theirs);
  if (!std::isfinite(distance)) {
    gross_ = grosses_ < kFewGross;
    // If its own model has come to grief, the next partner's is better.
    fresh_ = examine(mine, std::numeric_limits<float>::infinity()) == Refusal::not_finite;
    return Refusal::too_far;
  }
  // Whoever is astray has to come to those who may well stand.
  if (standing() != codec::Standing::astray && stands_still(block, theirs, distance)) return Refusal::still;
  return admits(block.offset / gate_length_, distance) ? Refusal::none : Refusal::too_far;
}

// Of an exchange's first block; and only those that the agent has drawn are remembered.
bool Learner::stands_still(Stretch block, ConstParams theirs, float distance) {
  if (sightings_ == nullptr || first_.gate != UINT32_MAX || distance < kNear * last_update()) return false;
  const bool still = sightings_->stands_still(block.offset, theirs, distance);
  if (!chosen_) sightings_->forget();
  return still;
}

Refusal Learner::judge(Stretch block, float distance, bool within, bool certain) {
  Refusal refusal = within ? Refusal::none : Refusal::out_of_range;
  if (!gated() || fresh_) return refusal;
  if (within && !admits(block.offset / gate_length_, distance, certain)) refusal = Refusal::too_far;
  if (refusal != Refusal::none && !model_.integer()) {
    const ConstParams own = shown().floats().subspan(block.offset).first(block.length);
    fresh_ = examine(own, std::numeric_limits<float>::infinity()) == Refusal::not_finite;
  }
  return refusal;
}

bool Learner::admits(std::size_t gate, float distance, bool certain) {
  for (const Judged& known : {first_, latest_})
    if (known.gate == gate) return distance <= known.radius;
  const float update = updates();
  if (!certain && distance <= gates_[gate].radius(update, refusals_)) return true;
  latest_ = {static_cast<std::uint32_t>(gate), gates_[gate].radius(update, refusals_)};
  if (first_.gate == UINT32_MAX) first_ = latest_;
  const bool admitted = distance <= latest_.radius;
  gross_ = grosses_ < kFewGross && distance > kGross * latest_.radius;
  if (gross_) return false;
  if (!admitted && !heeds()) return false;
  gates_[gate].remember(distance, update, refusals_);
  return admitted;
}

void Learner::merge(Stretch block, ConstParams mine, ConstParams theirs, Weight weight) {
  if (sightings_ != nullptr) sightings_->remember();
  merge(model_.floats().subspan(block.offset).first(block.length), mine, theirs, weight);
  if (privacy_of(config_) != nullptr)
    merge(shown().floats().subspan(block.offset).first(block.length), mine, theirs, weight);
}

void Learner::merge(Params x, ConstParams mine, ConstParams theirs, Weight weight) const {
  if (weight == Weight::whole) {
    std::copy(theirs.begin(), theirs.end(), x.begin());
  } else if (config_.averaging == Averaging::blocking && weight == Weight::half) {
    // The same sum on both sides: they end at the same model, bit for bit.
    for (std::size_t k = 0; k < x.size(); ++k) x[k] = (mine[k] + theirs[k]) * 0.5F;
  } else if (weight != Weight::none) {
    apply_delta(x, mine, theirs, value_of(weight));
  }
}

void Learner::meet_counter(StepCounter mine, StepCounter theirs, Weight weight, bool round_up) {
  if (weight == Weight::none) return;
  if (weight == Weight::whole) {
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
  return gated() && rebuffs_ >= kAstray ? codec::Standing::astray : codec::Standing::settled;
}

void Learner::has_refused() {
  if constexpr (!has(Part::gate)) return;
  since_ = 0;
  // Of those who come unasked, too: if all agents are that far apart, whoever is asked refuses first.
  if (gross_ && heeds()) ++grosses_;
  if (gross_) return;
  parted_ = parted_ || heeded_;
  if (chosen_) refusals_ = static_cast<std::uint8_t>(std::min(refusals_ + 1, 255));
  rebuffs_ = static_cast<std::uint8_t>(std::min(rebuffs_ + 1, 255));
}

void Learner::was_refused() {
  if constexpr (!has(Part::gate)) return;
  since_ = 0;
  parted_ = heeds() || parted_;
  if (chosen_) rebuffs_ = static_cast<std::uint8_t>(std::min(rebuffs_ + 1, 255));
}

void Learner::has_moved() {
  since_ = 0;
  if (fresh_ && stepping_) replaced_ = true;
  if (fresh_ && !stepping_) trainer_.forget();
  fresh_ = false;
  refusals_ = rebuffs_ = grosses_ = 0;
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
  if constexpr (!has(Part::gate)) return;
  last_update_ = std::isfinite(records.last_update) ? std::fabs(records.last_update) : 0;
  for (Gate& gate : gates_) gate = gate.sound() ? gate : Gate{};
}

}  // namespace popsgd
