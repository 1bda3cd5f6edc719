// What time it is: implemented by the platform.
#pragma once

#include <popsgd/link.h>

namespace popsgd {

/// A counter of milliseconds that runs from before the first exchange until the device goes off. Main loops and transports
/// ask it; the SDK itself is only ever told the time.
class Clock {
 public:
  /// The time now. Never goes back but by wrapping around, never leaps when somebody sets the device's date, and
  /// may stand still while the device sleeps, or leap forward by as long, up to 24 days: more is taken for a step back. A
  /// rate wrong by a few percent and a resolution of 10 ms do no harm.
  ///
  /// Called at every event, from the one thread or under the one lock that the agent is used on. Does not block.
  [[nodiscard]] virtual Time now() noexcept = 0;

 protected:
  Clock() = default;
  Clock(const Clock&) = default;
  Clock(Clock&&) = default;
  Clock& operator=(const Clock&) = default;
  Clock& operator=(Clock&&) = default;
  ~Clock() = default;  // nobody owns a clock through this class
};

}  // namespace popsgd
