// A node in a task of FreeRTOS: the firmware's learner, node and wire (platforms/cortex_m/firmware), driven by an AgentTask in place of
// a main loop of their own.
#include "agent_task.h"
#include "board.h"
#include "digits.h"
#include "wire.h"

#include <array>

using firmware::board;

namespace {

popsgd::freertos::TickClock ticks;
firmware::FixedLearner<firmware::Digits> learner;
firmware::NodeMemory<1> memory;
firmware::Node node({ticks, board.entropy}, learner, memory);
firmware::Wire wire(board.port());

class Application final : public popsgd::freertos::Device {
 public:
  popsgd::Time turn() noexcept override { return node.turn(); }
  void feed(std::span<const std::byte> bytes) noexcept override { wire.feed(bytes); }
};
Application application;
popsgd::freertos::AgentTask task(application, ticks);

}  // namespace

// The UART's interrupt, by the name that the vector table has for it.
extern "C" void UART0_Handler() {
  board.uart.interrupt();
  BaseType_t woken = pdFALSE;
  std::array<std::byte, 16> bytes{};
  while (!board.uart.empty()) {
    for (const std::byte byte : board.uart.read(bytes)) woken |= task.came(byte);
  }
  portYIELD_FROM_ISR(woken);
}

int main() {
  wire.open(node);
  if (node.start() != popsgd::Status::ok || node.join(wire.link()) != popsgd::Status::ok) return 1;
  task.start(1);       // above the idle task alone
  board.uart.start();  // bytes may come from now on
  vTaskStartScheduler();
}
