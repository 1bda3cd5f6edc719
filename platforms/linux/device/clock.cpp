#include "device/clock.h"

#include <chrono>

namespace popsgd::device {

Time MonotonicClock::now() noexcept {
  // The standard library's steady clock is CLOCK_MONOTONIC on Linux. The cast wraps around, as Time does.
  const auto since_boot = std::chrono::steady_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_boot).count();
  return Time(static_cast<std::uint32_t>(ms));
}

}  // namespace popsgd::device
