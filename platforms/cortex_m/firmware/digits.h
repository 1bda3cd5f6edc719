// Digits of 8 x 8 pixels as a worn display and a cheap camera would show them: shifted, with noise. Made by integers alone.
#pragma once

#include "share.h"

#include <popsgd/fixed.h>
#include <popsgd/random.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace firmware {

/// A stream of them, one at a time:
///
///     pixel = lit(row, column - shift) + noise
///
/// where the shape is the digit's, the shift -1, 0 or 1, and the noise a sum of three uniform numbers: nearly normal, of
/// deviation 1/6. The same seed gives the same digits everywhere.
class Digits {
 public:
  static constexpr std::size_t kFeatures = 64;
  static constexpr std::uint32_t kClasses = 10;
  static constexpr std::int8_t kFraction = 8;
  /// Devices whose fingerprints differ do not exchange. This one is what `popsgd agent --swarm digits --model softmax` has
  /// for data of this form, so that they meet: discovery::swarm_tag("digits\nsoftmax 64 10 650").
  static constexpr std::uint64_t kFingerprint = 0xE50C3388E2FE8557;

  explicit Digits(std::uint64_t seed, Share share = {}) noexcept
      : random_(seed, popsgd::Purpose::data), share_(share) {}

  /// The next one, valid until the one after.
  const popsgd::FixedBatch& next() noexcept;

 private:
  popsgd::Random random_;
  Share share_;
  std::array<std::int16_t, kFeatures> pixels_{};
  std::array<std::uint32_t, 1> label_{};
  popsgd::FixedBatch batch_{.rows = 1, .fraction = kFraction};
};

}  // namespace firmware
