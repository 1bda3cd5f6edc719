#include "agent_task.h"

#include <algorithm>

namespace popsgd::freertos {

void AgentTask::start(UBaseType_t priority) noexcept {
  bytes_ = xStreamBufferCreateStatic(kRing, 1, ring_.data(), &buffer_);
  xTaskCreateStatic(run, "popsgd", static_cast<configSTACK_DEPTH_TYPE>(stack_.size()), this, priority,
                    stack_.data(), &task_);
}

BaseType_t AgentTask::came(std::byte byte) noexcept {
  BaseType_t woken = pdFALSE;
  xStreamBufferSendFromISR(bytes_, &byte, 1, &woken);
  return woken;
}

// Sleeps until a byte comes, or something is due.
void AgentTask::run(void* task) {
  auto& self = *static_cast<AgentTask*>(task);
  std::array<std::byte, 64> bytes{};
  while (true) {
    const Time due = self.device_.turn();
    const std::size_t count =
        xStreamBufferReceive(self.bytes_, bytes.data(), bytes.size(), self.ticks_until(due));
    self.device_.feed(std::span(bytes).first(count));
  }
}

// Rounded up, so that what is due is due when it wakes; at most a day.
TickType_t AgentTask::ticks_until(Time due) noexcept {
  const std::int32_t wait = std::clamp(due.since(clock_.now()), std::int32_t{0}, std::int32_t{86'400'000});
  const auto period = static_cast<std::uint32_t>(portTICK_PERIOD_MS);
  return static_cast<TickType_t>((static_cast<std::uint32_t>(wait) + period - 1) / period);
}

}  // namespace popsgd::freertos
