// The firmware as an emulator runs it: told by arguments what to learn and for how long (see arguments.h), it says every second
// how it does, and ends.
#include "activity.h"
#include "arguments.h"
#include "board.h"
#include "device/registers.h"
#include "device/semihosting.h"
#include "digits.h"
#include "keeper.h"
#include "lan.h"
#include "line.h"
#include "report.h"
#include "wire.h"

#include <array>

namespace {

using namespace firmware;
using popsgd::Status;
using popsgd::Time;
using popsgd::cortex_m::semihosting::write;

Pupil& pupil_for(const Request& request) {
  if constexpr (popsgd::held(popsgd::Numeric::float32)) {
    static PupilOf<FloatLearner<Digits>> digits(request.share);
    static PupilOf<FloatLearner<Activity>> activity(request.share);
    if (request.floats) return request.activity ? static_cast<Pupil&>(activity) : digits;
  }
  static PupilOf<FixedLearner<Digits>> digits(request.share);
  static PupilOf<FixedLearner<Activity>> activity(request.share);
  return request.activity ? static_cast<Pupil&>(activity) : digits;
}

// Why it cannot meet anybody; null: it can.
const char* why_not(Status status) {
  switch (status) {
    case Status::ok:
      return nullptr;
    case Status::no_function:
      return "popsgd_watched: it was built without secure links\n";
    case Status::link_closed:
      return "popsgd_watched: there is no network\n";
    default:
      return "popsgd_watched: it cannot call its peers\n";
  }
}

Status call_peers(Node& node, const Request& request) {
  if (request.peer_count == 0) return Status::ok;
  const std::span peers(request.peers.data(), request.peer_count);
  return lan::start(node, board.services(), {request.swarm(), peers, request.key});
}

/// In plain text: whoever is at the other end is met.
class PlainLine final : public Line {
 public:
  void open(Node& node) noexcept { wire_.open(node); }
  [[nodiscard]] popsgd::Link& link() noexcept { return wire_.link(); }
  void feed(std::span<const std::byte> bytes) noexcept override { wire_.feed(bytes); }
  Time turn() noexcept override { return board.clock.now() + 1000; }

 private:
  Wire wire_{board.port()};
};

// Whom the node meets along the wire: those with the key; or anybody, at once if there are no peers to be called. Peers are
// who is met by the key then, and the wire is its owner's, in plain text.
popsgd::Result<Line*> line_for(const Request& request, Node& node) {
  const bool alone = request.peer_count == 0;
  if (alone && request.key) return line_for_members(*request.key, node);
  static PlainLine line;
  line.open(node);
  const Status status = alone ? node.join(line.link()) : Status::ok;
  return status == Status::ok ? popsgd::Result<Line*>(&line) : status;
}

void run(Node& node, Keeper& keeper, Pupil& pupil, Line& line, std::uint32_t until) {
  const Time begin = board.clock.now();
  report("status", 0, node, pupil);
  for (std::uint32_t told = 0; told < until;) {
    const Time due = earlier(lan::turn(board.clock.now()), line.turn());
    const Time next = earlier(due, earlier(node.turn(), keeper.turn()));
    while (board.uart.empty() && !lan::due() && !next.reached(board.clock.now()))
      popsgd::cortex_m::sleep();  // until a byte, a frame, or a millisecond later
    std::array<std::byte, 64> bytes;
    line.feed(board.uart.read(bytes));
    const auto seconds = static_cast<std::uint32_t>(board.clock.now().since(begin)) / 1000;
    if (seconds > told) report("status", told = seconds, node, pupil);
  }
  report("result", until, node, pupil);
}

// Learns a little, and saves while power fails.
void save_until_cut(Node& node, Keeper& keeper, const Pupil& pupil, std::uint32_t changes) {
  report_model(keeper.restored() == Status::ok ? "restored" : "began", pupil);
  for (const std::uint64_t enough = node.agent().metrics().steps + 5; node.agent().metrics().steps < enough;)
    static_cast<void>(node.turn());
  report_model("saving", pupil);
  board.flash.fail_after(changes);
  report_model(keeper.save() == Status::ok ? "saved" : "cut", pupil);
}

}  // namespace

int main(int count, char** arguments) {
  const auto request = request_from(std::span(arguments, static_cast<std::size_t>(count)).subspan(1));
  if (!request) {
    write("popsgd_watched: an argument is not one of those in arguments.h\n");
    return 2;
  }
  if (request->floats && !popsgd::held(popsgd::Numeric::float32)) {
    write("popsgd_watched: it was built without float32\n");
    return 2;
  }
  constexpr std::size_t kLinks = 5;  // the wire, and four on the network
  static NodeMemory<kLinks> memory;
  Pupil& pupil = pupil_for(*request);
  static Node node(board.services(), pupil.learner(), memory, request->pace);
  static Keeper keeper(node, board.store, board.clock, request->save);
  board.start();
  if (keeper.start() != Status::ok) {
    write("popsgd_watched: it cannot begin\n");
    return 1;
  }
  const auto line = line_for(*request, node);
  const char* const trouble = why_not(line.ok() ? call_peers(node, *request) : line.status());
  if (trouble != nullptr) {
    write(trouble);
    return 1;
  }
  if (request->cut)
    save_until_cut(node, keeper, pupil, *request->cut);
  else
    run(node, keeper, pupil, *line.value(), request->seconds);
  return 0;
}
