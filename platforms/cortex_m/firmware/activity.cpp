#include "activity.h"

namespace firmware {
namespace {

// Amplitudes and gravity in units of 2^-8 g, sideways, up and forward; the frequency as 2^-16 periods a sample, which
// at 50 Hz is 1311 for 1 Hz; the harmonic in units of 2^-8.
struct Motion {
  std::array<std::int16_t, 3> gravity;
  std::array<std::int16_t, 3> amplitude;
  std::int32_t frequency;
  std::int32_t harmonic;
};
constexpr std::array<Motion, Activity::kClasses> kMotions{{
    {{0, 20, 255}, {2, 2, 4}, 330, 0},         // lying: breath, at 0.25 Hz
    {{0, 256, 0}, {4, 3, 5}, 390, 0},          // standing: sway, at 0.3 Hz
    {{0, 254, 30}, {30, 80, 45}, 2490, 90},    // walking: 1.9 steps a second
    {{0, 250, 55}, {60, 260, 110}, 3670, 60},  // running: 2.8
    {{0, 248, 65}, {40, 85, 60}, 1835, 150},   // stairs: 1.4, with a harder second half
}};
constexpr std::array<std::size_t, 7> kLags{1, 2, 4, 8, 12, 16, 24};

// s of a phase in units of 2^-16 periods; in units of 2^-14.
std::int32_t wave(std::uint32_t phase) {
  // -1 to 1 and back over a period, in units of 2^-14.
  const auto turn = static_cast<std::int32_t>(phase & 0xFFFFU);
  const std::int32_t x = turn < 0x8000 ? turn - 0x4000 : 0xC000 - turn;
  return x * (3 * 0x4000 - (x * x >> 14)) >> 15;
}

std::int32_t magnitude(std::int32_t value) {
  return value < 0 ? -value : value;
}

std::int32_t mean(std::span<const std::int16_t> values) {
  std::int32_t sum = 0;
  for (const std::int16_t value : values) sum += value;
  return sum / static_cast<std::int32_t>(values.size());
}

// Mean of |a(t + lag) - a(t)|.
std::int32_t change(std::span<const std::int16_t> values, std::size_t lag) {
  std::int32_t sum = 0;
  for (std::size_t t = lag; t < values.size(); ++t) sum += magnitude(values[t] - values[t - lag]);
  return sum / static_cast<std::int32_t>(values.size() - lag);
}

std::int32_t deviation(std::span<const std::int16_t> values) {
  const std::int32_t middle = mean(values);
  std::int32_t sum = 0;
  for (const std::int16_t value : values) sum += magnitude(value - middle);
  return sum / static_cast<std::int32_t>(values.size());
}

}  // namespace

Activity::Activity(std::uint64_t seed, Share share) noexcept
    : random_(seed, popsgd::Purpose::data), share_(share) {
  for (std::int32_t& tilt : tilt_) tilt = about(30);
  vigour_ += about(50);
  pace_ += about(25);
}

// Uniform in -range to range.
std::int32_t Activity::about(std::int32_t range) noexcept {
  return static_cast<std::int32_t>(random_.below(static_cast<std::uint32_t>(2 * range + 1))) - range;
}

const popsgd::FixedBatch& Activity::next() noexcept {
  label_[0] = share_.draw(random_, kClasses);
  feel(label_[0]);
  summarise();
  batch_.features = features_;
  batch_.labels = label_;
  return batch_;
}

void Activity::feel(std::uint32_t activity) noexcept {
  const Motion& motion = kMotions[activity];
  const auto step = static_cast<std::uint32_t>(motion.frequency * (pace_ + about(8)) / 256);
  std::uint32_t phase = random_.bits();
  for (std::size_t t = 0; t < kSamples; ++t, phase += step) {
    const std::int32_t moved = wave(phase) + motion.harmonic * wave(2 * phase) / 256;
    for (std::size_t axis = 0; axis < kAxes; ++axis) {
      const std::int32_t swing = motion.amplitude[axis] * vigour_ / 256 * moved / 0x4000;
      window_[axis][t] = static_cast<std::int16_t>(motion.gravity[axis] + tilt_[axis] + swing + about(12));
    }
  }
}

void Activity::summarise() noexcept {
  std::size_t k = 0;
  const auto put = [&](std::int32_t feature) { features_[k++] = static_cast<std::int16_t>(feature); };
  for (const Axis& axis : window_) put(mean(axis));
  for (const Axis& axis : window_) put(deviation(axis));
  for (const Axis& axis : window_) put(change(axis, 6));
  for (const std::size_t lag : kLags) put(change(window_[1], lag));
  static_assert(3 * kAxes + kLags.size() == kFeatures);
}

}  // namespace firmware
