// When a gate is to be called: an agent sleeps until then.
#include "secure_pair.h"

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::test;

TEST_CASE("a gate without links, with open ones, and after them has nothing to do for a while") {
  for (const bool reliable : {true, false}) {
    CAPTURE(reliable);
    Meeting meeting(reliable);
    meeting.clock.time = Time(18'000'000);
    meeting.use_swarm_keys();
    const auto sleeps = [&meeting] {
      CHECK(meeting.caller.gate.deadline().since(meeting.clock.time) >= 60'000);
      CHECK(meeting.called.gate.deadline().since(meeting.clock.time) >= 60'000);
    };
    sleeps();
    meeting.dial();
    meeting.run();
    REQUIRE(meeting.met());
    sleeps();
    meeting.caller.last()->link->close();
    meeting.run();
    sleeps();
  }
}
