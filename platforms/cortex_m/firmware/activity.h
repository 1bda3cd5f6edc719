// What somebody does, as an accelerometer at the hip feels it: lying, standing, walking, running, climbing stairs. Made by
// integers alone.
#pragma once

#include "share.h"

#include <popsgd/fixed.h>
#include <popsgd/random.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace firmware {

/// A stream of windows of one wearer, one at a time. A window is 64 samples of three axes, 50 a second. Along axis k (sideways,
/// up, forward), in g, at time t:
///
///     a_k(t) = u_k + e_k + A_k w (s(f t + p) + h s(2 f t + 2 p)) + noise
///
/// u is gravity as the posture turns it, e how this wearer's belt is tilted, A, f and h the activity's amplitudes, frequency and
/// harmonic, w how vigorous the wearer is, p a phase, s a wave of period 1: x (3 - x^2) / 2 over each half of it. A wearer's
/// e, w and pace (a factor of f) come from the seed, as do phases and noise; the same seed gives the same windows everywhere.
///
/// The features of a window are what such devices take: means, mean absolute deviations, and mean absolute changes over
/// several lags, which tell the pace.
class Activity {
 public:
  static constexpr std::size_t kFeatures = 16;
  static constexpr std::uint32_t kClasses = 5;
  static constexpr std::int8_t kFraction = 8;  ///< a feature is in g
  /// discovery::swarm_tag("activity\nsoftmax 16 5 85"), see Digits.
  static constexpr std::uint64_t kFingerprint = 0x0C0CB732DD2AB567;

  explicit Activity(std::uint64_t seed, Share share = {}) noexcept;

  /// The next window, valid until the one after.
  const popsgd::FixedBatch& next() noexcept;

 private:
  static constexpr std::size_t kAxes = 3;
  static constexpr std::size_t kSamples = 64;
  using Axis = std::array<std::int16_t, kSamples>;

  void feel(std::uint32_t activity) noexcept;
  void summarise() noexcept;
  [[nodiscard]] std::int32_t about(std::int32_t range) noexcept;

  popsgd::Random random_;
  Share share_;
  std::array<std::int32_t, kAxes> tilt_{};  // in units of 2^-8 g
  std::int32_t vigour_ = 256;               // in units of 2^-8
  std::int32_t pace_ = 256;
  std::array<Axis, kAxes> window_{};
  std::array<std::int16_t, kFeatures> features_{};
  std::array<std::uint32_t, 1> label_{};
  popsgd::FixedBatch batch_{.rows = 1, .fraction = kFraction};
};

}  // namespace firmware
