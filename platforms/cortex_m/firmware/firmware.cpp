// The firmware: learns a digit every 50 ms, and meets the device at the other end of the UART every two seconds.
#include "device/board_entropy.h"
#include "device/flash_store.h"
#include "device/registers.h"
#include "device/tick_clock.h"
#include "device/uart.h"
#include "node.h"
#include "start/start.h"

#include <array>

namespace {

namespace board = popsgd::cortex_m;

board::TickClock clock;
board::Uart uart;

}  // namespace

void tick() noexcept {
  clock.count();
}

void uart_interrupt() noexcept {
  uart.interrupt();
}

int main() {
  static board::BoardEntropy entropy;
  static board::Flash flash;
  static board::FlashStore store(flash);
  const auto write = [](void*, std::span<const std::byte> bytes) noexcept {
    uart.write(bytes);
    return bytes.size();
  };
  static firmware::Node node({clock, entropy, store, {write, nullptr}});
  clock.start();
  uart.start();
  if (node.start() != popsgd::Status::ok) fault();
  while (true) {
    const popsgd::Time next = node.turn();
    while (uart.empty() && !next.reached(clock.now()))
      board::sleep();  // until a byte, or a millisecond later
    std::array<std::byte, 64> bytes;
    node.feed(uart.read(bytes));
  }
}
