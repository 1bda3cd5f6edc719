// The time, counted by an interrupt.
#pragma once

#include <popsgd/clock.h>

#include <cstdint>

namespace popsgd::board {

class TickClock final : public Clock {
 public:
  /// PORT: call this from the interrupt of a timer, every millisecond. A processor that sleeps between interrupts may add what
  /// it slept instead; the count wraps around after 49 days, as it should.
  void tick(std::uint32_t milliseconds = 1) noexcept { ticks_ = ticks_ + milliseconds; }

  [[nodiscard]] Time now() noexcept override { return Time(ticks_); }

 private:
  // One writer, the interrupt; and 32 bits are read in one go. On a processor of 8 or 16 bits: read twice, until the same.
  volatile std::uint32_t ticks_ = 0;
};

}  // namespace popsgd::board
