// The firmware for a device that has no flash to spare: as firmware.cpp, but what it has learned ends with its power.
#include "digits.h"
#include "live.h"
#include "start/start.h"
#include "wire.h"

using firmware::board;

namespace {

firmware::FixedLearner<firmware::Digits> learner;
firmware::NodeMemory<1> memory;
firmware::Node node(board.services(), learner, memory);
firmware::Wire wire(board.port());

}  // namespace

int main() {
  board.start();
  wire.open(node);
  if (node.start() != popsgd::Status::ok || node.join(wire.link()) != popsgd::Status::ok) fault();
  firmware::live(wire, [] { return node.turn(); });
}
