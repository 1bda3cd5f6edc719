// An agent that lives in a task of FreeRTOS: its clock, and its main loop.
#pragma once

#include <popsgd/clock.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <FreeRTOS.h>
#include <stream_buffer.h>
#include <task.h>

namespace popsgd::freertos {

static_assert(1000 % configTICK_RATE_HZ == 0, "a tick must be whole milliseconds: at most 1000 a second");

/// Milliseconds by FreeRTOS's ticks, from tasks. Both wrap around, and the product does as it should.
class TickClock final : public Clock {
 public:
  [[nodiscard]] Time now() noexcept override {
    return Time(static_cast<std::uint32_t>(xTaskGetTickCount()) *
                static_cast<std::uint32_t>(portTICK_PERIOD_MS));
  }
};

/// What the task drives, as in example.cpp. Called from the task alone, so it needs no lock.
class Device {
 public:
  /// One turn of the main loop; when the next is due if no byte comes before.
  virtual Time turn() noexcept = 0;
  /// Bytes have come along the UART.
  virtual void feed(std::span<const std::byte> bytes) noexcept = 0;

 protected:
  Device() = default;
  Device(const Device&) = default;
  Device(Device&&) = default;
  Device& operator=(const Device&) = default;
  Device& operator=(Device&&) = default;
  ~Device() = default;
};

/// The task, its stack and the bytes that wait for it: make it static. An agent takes no more than 4 kB of stack.
class AgentTask {
 public:
  /// Both must outlive this.
  AgentTask(Device& device, Clock& clock) noexcept : device_(device), clock_(clock) {}
  AgentTask(const AgentTask&) = delete;
  AgentTask& operator=(const AgentTask&) = delete;
  AgentTask(AgentTask&&) = delete;
  AgentTask& operator=(AgentTask&&) = delete;
  ~AgentTask() = default;

  /// Once, before or after the scheduler begins. Give it a priority below that of whatever must not wait: a local step may take
  /// milliseconds.
  void start(UBaseType_t priority) noexcept;

  /// From the UART's interrupt, after start(): a byte has come. The answer, whether a task was woken, is for portYIELD_FROM_ISR.
  /// A byte for which there is no room is lost; frames have checksums, and are sent again.
  [[nodiscard]] BaseType_t came(std::byte byte) noexcept;

 private:
  static constexpr std::size_t kStack = 4096 / sizeof(StackType_t);
  static constexpr std::size_t kRing = 256;

  static void run(void* task);
  [[nodiscard]] TickType_t ticks_until(Time due) noexcept;

  Device& device_;
  Clock& clock_;
  StreamBufferHandle_t bytes_ = nullptr;
  StaticTask_t task_{};
  StaticStreamBuffer_t buffer_{};
  std::array<StackType_t, kStack> stack_{};
  std::array<std::uint8_t, kRing + 1> ring_{};
};

}  // namespace popsgd::freertos
