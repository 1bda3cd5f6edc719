// What strangers make an agent say to its log.
#include "agent/membership.h"
#include "secure_pair.h"

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::test;

namespace {

constexpr std::uint32_t kCallers = 29;  // fewer than the handshakes of a second

struct Log {
  Log() : membership(loop, swarm_keys(), host, [this](const std::string& line) { lines.push_back(line); }) {}
  void call(std::uint32_t number, std::span<const std::byte> bytes) {
    HandLink link({65535, true});
    const auto from =
        v4_address({10, 1, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)}, 9);
    link.user = &membership.opened(link, from, false);
    link.bring(bytes);
    link.close();
    link.settle();
  }

  net::Loop loop{};
  Host host{};
  std::vector<std::string> lines{};
  command::Membership membership;
};

}  // namespace

TEST_CASE("any number of strangers that are turned away for one reason are one line a minute") {
  Log log;
  for (std::uint32_t k = 0; k < kCallers; ++k) log.call(k, frame_of(100));
  REQUIRE(log.lines.size() == 1);
  CHECK(log.lines[0].starts_with("turned away 10.1.0.0:9: "));
  CHECK(log.host.diaries.empty());
}

TEST_CASE("another reason is another line, and nothing that a stranger has said is in it") {
  Log log;
  HandClock clock;
  Guarded caller(clock, 1);
  REQUIRE(caller.context.use(swarm_keys(2)) == Status::ok);
  log.call(1, frame_of(100));
  // One with another key: its hello, then silence.
  HandLink there({65535, true});
  there.user = caller.gate.admit(there, {}, true);
  const Bytes hello = there.sent.at(0);
  log.call(2, hello);
  CHECK(log.lines.size() == 2);
  for (const std::string& line : log.lines) CHECK(line.size() < 100);
  there.close();
  there.settle();
}
