// The firmware of a member of a swarm: as firmware.cpp, but the device at the other end of the UART is met only if it has the swarm's
// key, too. Without a key it does not begin.
#include "digits.h"
#include "flashed_key.h"
#include "keeper.h"
#include "live.h"
#include "secure_wire.h"
#include "start/start.h"

using firmware::board;
using popsgd::Status;

int main() {
  static firmware::FixedLearner<firmware::Digits> learner;
  static firmware::NodeMemory<1> memory;
  static firmware::Node node(board.services(), learner, memory);
  static firmware::Keeper keeper(node, board.store, board.clock);
  static firmware::SecureWireMemory wire_memory;
  firmware::SecureWire wire(board.port(), board.services(), node, wire_memory);
  board.start();
  const auto key = firmware::flashed_key();
  if (!key || keeper.start() != Status::ok || wire.open(*key) != Status::ok) fault();
  firmware::live(wire, [&wire] { return earlier(wire.turn(), earlier(node.turn(), keeper.turn())); });
}
