// What stands in for time: the gossip-averaged counter of local steps.
#pragma once

#include <cstdint>

namespace popsgd {

/// A count of local SGD steps with a fraction. Every agent adds one per local step, and both partners
/// of an exchange take the mean of theirs, so that all agents' counters stay close to the true
/// average number of steps without any clock. Fixed point (48.16 bits): the same on every target, and no
/// loss of the unit step after 2^24 steps as a float would have.
class StepCounter {
 public:
  constexpr StepCounter() = default;
  explicit constexpr StepCounter(std::uint64_t steps) : value_(steps << kFractionBits) {}

  /// The counter whose bits() these are; every value is one.
  [[nodiscard]] static constexpr StepCounter from_bits(std::uint64_t bits) {
    StepCounter counter;
    counter.value_ = bits;
    return counter;
  }

  /// The raw 48.16 bits, in units of 2^-16 steps: to save or send, without loss.
  [[nodiscard]] constexpr std::uint64_t bits() const { return value_; }

  constexpr void add_step() { value_ += std::uint64_t{1} << kFractionBits; }

  /// Steps, with the fraction that averaging leaves.
  [[nodiscard]] constexpr double steps() const {
    return static_cast<double>(value_) / static_cast<double>(std::uint64_t{1} << kFractionBits);
  }

  /// Both become the mean; the odd unit stays with `a`, so that the sum is conserved exactly.
  friend constexpr void meet(StepCounter& a, StepCounter& b) {
    const std::uint64_t low = a.value_ < b.value_ ? a.value_ : b.value_;
    const std::uint64_t gap = (a.value_ < b.value_ ? b.value_ : a.value_) - low;
    a.value_ = low + (gap - gap / 2);
    b.value_ = low + gap / 2;
  }

  friend constexpr bool operator==(StepCounter, StepCounter) = default;

 private:
  static constexpr int kFractionBits = 16;
  std::uint64_t value_ = 0;
};

}  // namespace popsgd
