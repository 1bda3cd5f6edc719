// The firmware for a device that has no flash to spare: as firmware.cpp, but what it has learned ends with its power.
#include "digits.h"
#include "live.h"
#include "start/start.h"
#include "wire.h"

using firmware::board;

int main() {
  static firmware::FixedLearner<firmware::Digits> learner;
  static firmware::NodeMemory<1> memory;
  static firmware::Node node(board.services(), learner, memory);
  static firmware::Wire wire(board.port());
  board.start();
  wire.open(node);
  if (node.start() != popsgd::Status::ok || node.join(wire.link()) != popsgd::Status::ok) fault();
  firmware::live(wire, [] { return node.turn(); });
}
