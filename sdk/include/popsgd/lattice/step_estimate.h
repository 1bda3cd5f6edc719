// Which step a sender takes: no agreement is needed, as the exponent travels with the slice.
//
//   est <- max(D, 0.9 est)       D: the largest difference of both models in the slice, in the last exchange
//   step = 1.5 est / (2^(bits-1) - 1/2), rounded up to a power of two
//
// At 3 bits and less that would add more to the models' spread than averaging takes away: a step's own rounding, up to two
// steps of the few that the bits reach, would keep it as large for ever. Differences that are rotated are nearly normal, and
// their largest hardly varies. There the step is tight:
//
//   est <- max(D, 0.997 est)     step = 0.8 est / (2^(bits-1) - 1/2), rounded up to a power of two
//
// so that two steps apart is reason enough to halve it; and an agent tries that no more than once in some 150 exchanges, as it
// may have to send once more.
//
// In integers alone: est is kept as its binary logarithm.
#pragma once

#include <popsgd/lattice/points.h>

#include <cstdint>
#include <limits>

namespace popsgd::lattice {

/// steps * 2^exponent.
struct Distance {
  std::uint32_t steps = 0;
  int exponent = 0;
};

/// The largest |a - b| of values of one kind and unit, which have been exchanged raw. A NaN counts for nothing, an
/// infinity as 2^128.
[[nodiscard]] Distance furthest_apart(const Values& a, const Values& b) noexcept;

/// Whether a step for so many bits is tight, see above.
[[nodiscard]] constexpr bool tight(int bits, bool rotated) {
  return rotated && bits <= 3;
}

class StepEstimate {
 public:
  StepEstimate() = default;

  /// Two bytes, for a checkpoint.
  [[nodiscard]] static constexpr StepEstimate from_bits(std::int16_t bits) {
    StepEstimate estimate;
    estimate.log2_ = bits;
    return estimate;
  }
  [[nodiscard]] constexpr std::int16_t bits() const { return log2_; }

  /// Until a distance other than 0 has been seen: the sender then sends raw values.
  [[nodiscard]] constexpr bool known() const { return log2_ != kUnknown; }

  /// After an exchange that came through: `seen` is what decode() or furthest_apart() found. 0.9 is 2^(-39/256),
  /// 0.8998; 0.997 is 2^(-1/256), 0.9973.
  void observe(Distance seen, bool tight = false) noexcept;

  /// The exponent of the step for `bits` a parameter, not below `finest` (finest_exponent()). 1.5 is 1.492 here:
  /// whatever is a power of two but for the rounding of logarithms is not rounded up to the next.
  [[nodiscard]] int exponent(int bits, int finest, bool tight = false) const noexcept;

  /// After an exchange in which points with this step could not be decoded: the next step is at least four times as
  /// large.
  void widen(int bits, int exponent) noexcept;

 private:
  static constexpr std::int16_t kUnknown = std::numeric_limits<std::int16_t>::min();
  std::int16_t log2_ = kUnknown;  // in units of 1/256
};

}  // namespace popsgd::lattice
