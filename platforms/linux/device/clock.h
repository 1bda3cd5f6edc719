// The time on Linux.
#pragma once

#include <popsgd/clock.h>

namespace popsgd::device {

/// CLOCK_MONOTONIC: no date that is set, by hand or over the network, moves it. It is what poll(), epoll and Asio's timers wait
/// by, so whoever waits until a deadline is woken at it; and it stands still while the machine sleeps. What was under
/// way then ends by the timeouts it has left, or by the peer's first answer. CLOCK_BOOTTIME counts sleep: after 25
/// days of it a Time would seem to have gone back, and nothing would be due for weeks.
class MonotonicClock final : public Clock {
 public:
  [[nodiscard]] Time now() noexcept override;
};

}  // namespace popsgd::device
