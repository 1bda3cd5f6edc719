// The firmware: learns a digit every 50 ms, and meets the device at the other end of the UART every two seconds.
#include "board.h"
#include "device/registers.h"
#include "digits.h"
#include "start/start.h"
#include "wire.h"

#include <array>

using firmware::board;

int main() {
  static firmware::FixedLearner<firmware::Digits> learner;
  static firmware::NodeMemory<1> memory;
  static firmware::Node node(board.services(), learner, memory);
  static firmware::Wire wire(board.port());
  board.start();
  wire.open(node);
  if (node.start() != popsgd::Status::ok || node.join(wire.link()) != popsgd::Status::ok) fault();
  while (true) {
    const popsgd::Time next = node.turn();
    while (board.uart.empty() && !next.reached(board.clock.now()))
      popsgd::cortex_m::sleep();  // until a byte, or a millisecond later
    std::array<std::byte, 64> bytes;
    wire.feed(board.uart.read(bytes));
  }
}
