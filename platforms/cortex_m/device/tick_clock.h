// Milliseconds, counted by SysTick, which every core but the smallest parts has.
#pragma once

#include "boards/board.h"
#include "device/registers.h"

#include <popsgd/clock.h>

#include <cstdint>

namespace popsgd::cortex_m {

/// The program has one, and its tick() calls count().
class TickClock final : public Clock {
 public:
  void start() noexcept {
    at(systick::kReload) = board::kClock / 1000 - 1;
    at(systick::kValue) = 0;
    at(systick::kControl) = systick::kEnable | systick::kInterrupt | systick::kCoreClock;
  }
  void count() noexcept { ticks_ = ticks_ + 1; }

  [[nodiscard]] Time now() noexcept override { return Time(ticks_); }

 private:
  volatile std::uint32_t ticks_ = 0;  // one writer, the interrupt; read in one go
};

}  // namespace popsgd::cortex_m
