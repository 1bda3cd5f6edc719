// Members that go from one epoch to the next, or to another key, while their links are open.
#include "secure_pair.h"

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::test;
using secure::Refusal;

namespace {

void say_something(Meeting& meeting) {
  const std::size_t heard = meeting.called.last()->frames.size();
  CHECK(meeting.caller.last()->link->send(frame_of(100)) == Status::ok);
  CHECK(meeting.called.last()->link->send(frame_of(50)) == Status::ok);
  meeting.run();
  CHECK(meeting.called.last()->frames.size() == heard + 1);
}

void use(Guarded& member, const secure::SwarmKeys& keys) {
  REQUIRE(member.context.use(keys) == Status::ok);
}

}  // namespace

TEST_CASE("a link lives on when its members go to the next epoch, one after the other") {
  for (const bool reliable : {true, false}) {
    CAPTURE(reliable);
    Meeting meeting(reliable);
    meeting.use_swarm_keys().dial();
    meeting.run();
    REQUIRE(meeting.met());
    use(meeting.caller, swarm_keys(1, 8));
    say_something(meeting);
    use(meeting.called, swarm_keys(1, 8));
    say_something(meeting);
    CHECK(meeting.caller.last()->closings == 0);
  }
}

TEST_CASE("after a new epoch no session is resumed, and members meet by its key") {
  for (const bool reliable : {true, false}) {
    CAPTURE(reliable);
    Meeting meeting(reliable);
    meeting.use_swarm_keys().dial();
    meeting.run();
    REQUIRE(meeting.met());
    meeting.caller.last()->link->close();
    meeting.run();
    use(meeting.caller, swarm_keys(1, 8));
    use(meeting.called, swarm_keys(1, 8));
    meeting.dial();
    meeting.run();
    REQUIRE(meeting.met());
    CHECK(meeting.called.gate.counts().resumed == 0);
    CHECK(meeting.caller.gate.counts().resumed == 0);
    say_something(meeting);
  }
}

// Each of the messages of a handshake is the one before which the epoch changes.
TEST_CASE(
    "a handshake that an epoch's change meets half-way ends well or is refused, and the next succeeds") {
  for (const bool reliable : {true, false}) {
    for (const bool callers : {true, false}) {
      for (int moment = 0; moment < 12; ++moment) {
        CAPTURE(reliable);
        CAPTURE(callers);
        CAPTURE(moment);
        Meeting meeting(reliable);
        meeting.use_swarm_keys();
        int messages = 0;
        meeting.between = [&](Bytes&, bool) {
          if (messages++ == moment) use(callers ? meeting.caller : meeting.called, swarm_keys(1, 8));
          return true;
        };
        for (int dials = 0; dials < 3 && !meeting.met(); ++dials) {
          meeting.dial();
          meeting.run(20'000);
        }
        REQUIRE(meeting.met());
        say_something(meeting);
      }
    }
  }
}

TEST_CASE(
    "another key ends all links and handshakes of the one before, and who has that is not let in again") {
  for (const bool reliable : {true, false}) {
    CAPTURE(reliable);
    Meeting meeting(reliable);
    meeting.use_swarm_keys().dial();
    meeting.run();
    REQUIRE(meeting.met());
    use(meeting.called, swarm_keys(2, 1));
    meeting.called.gate.close_all();
    meeting.run();
    CHECK(meeting.caller.last()->closings == 1);
    CHECK(meeting.called.last()->closings == 1);
    meeting.dial();
    meeting.called.gate.close_all();
    meeting.run(20'000);
    meeting.dial();
    meeting.run(20'000);
    CHECK_FALSE(meeting.met());
    CHECK(meeting.caller.diaries.size() == 1);
    CHECK(meeting.called.gate.counts().of(Refusal::unknown_key) >= 1);
  }
}
