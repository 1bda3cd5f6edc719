// The firmware: learns a digit every 50 ms, meets the device at the other end of the UART every two seconds, and saves what it has
// learned every ten minutes.
#include "digits.h"
#include "keeper.h"
#include "live.h"
#include "start/start.h"
#include "wire.h"

using firmware::board;

namespace {

firmware::FixedLearner<firmware::Digits> learner;
firmware::NodeMemory<1> memory;
firmware::Node node(board.services(), learner, memory);
firmware::Keeper keeper(node, board.store, board.clock);
firmware::Wire wire(board.port());

}  // namespace

int main() {
  board.start();
  wire.open(node);
  if (keeper.start() != popsgd::Status::ok || node.join(wire.link()) != popsgd::Status::ok) fault();
  firmware::live(wire, [] { return earlier(node.turn(), keeper.turn()); });
}
