// Digits of 8 x 8 pixels as a worn display and a cheap camera would show them: shifted, with noise. Made by integers alone.
#pragma once

#include <popsgd/fixed.h>
#include <popsgd/random.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace firmware {

/// A stream of them, one at a time.
class Digits {
 public:
  static constexpr std::size_t kPixels = 64;
  static constexpr std::uint32_t kClasses = 10;
  static constexpr std::int8_t kFraction = 8;  ///< a pixel is 0 to 1, and noise of deviation 1/6

  explicit Digits(std::uint64_t seed) noexcept : random_(seed, popsgd::Purpose::data) {}

  /// The next one, valid until the one after.
  const popsgd::FixedBatch& next() noexcept;

 private:
  popsgd::Random random_;
  std::array<std::int16_t, kPixels> pixels_{};
  std::array<std::uint32_t, 1> label_{};
  popsgd::FixedBatch batch_{};
};

}  // namespace firmware
