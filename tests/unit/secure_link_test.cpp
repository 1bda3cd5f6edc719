#include "secure_pair.h"

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::test;
using secure::Refusal;

namespace {

void on_both(const std::function<void(bool reliable)>& check) {
  for (const bool reliable : {true, false}) {
    CAPTURE(reliable);
    check(reliable);
  }
}

std::size_t bytes_of(const std::vector<Bytes>& frames) {
  std::size_t bytes = 0;
  for (const Bytes& frame : frames) bytes += frame.size();
  return bytes;
}

}  // namespace

TEST_CASE("members meet, and say what they want") {
  on_both([](bool reliable) {
    Meeting meeting(reliable);
    meeting.use_swarm_keys().dial();
    CHECK(meeting.caller.diaries.empty());  // from within later calls only
    meeting.run();
    REQUIRE(meeting.met());
    CHECK(meeting.caller.last()->dialled);
    CHECK(meeting.called.last()->remote == meeting.callers_address);
    CHECK(meeting.caller.last()->link->send(frame_of(100)) == Status::ok);
    CHECK(meeting.called.last()->link->send(frame_of(200)) == Status::ok);
    meeting.run();
    CHECK(meeting.called.last()->frames == std::vector<Bytes>{frame_of(100)});
    CHECK(meeting.caller.last()->frames == std::vector<Bytes>{frame_of(200)});
    CHECK(meeting.called.gate.counts().opened == 1);
    CHECK(meeting.called.gate.counts().greeted == (reliable ? 0 : 1));
  });
}

TEST_CASE("no frame shows on the path, and one of 1200 bytes in a datagram costs at most 40 more") {
  Meeting meeting(false, {}, {}, 1300);
  meeting.use_swarm_keys().dial();
  meeting.run();
  REQUIRE(meeting.met());
  Bytes seen;
  meeting.between = [&seen](Bytes& bytes, bool) {
    seen = bytes;
    return true;
  };
  const Bytes frame = frame_of(1200);
  CHECK(meeting.caller.last()->link->send(frame) == Status::ok);
  meeting.run();
  CHECK(meeting.called.last()->frames == std::vector<Bytes>{frame});
  CHECK(seen.size() - frame.size() <= 40);
  CHECK(std::search(seen.begin(), seen.end(), frame.begin(), frame.begin() + 16) == seen.end());
}

TEST_CASE("the longest frame fits the path within exactly") {
  Meeting meeting(false, {}, {}, 1200);
  meeting.use_swarm_keys().dial();
  meeting.run();
  REQUIRE(meeting.met());
  std::size_t longest = 0;
  meeting.between = [&longest](Bytes& bytes, bool) {
    longest = std::max(longest, bytes.size());
    return true;
  };
  CHECK(meeting.caller.last()->link->send(frame_of(meeting.caller.last()->link->traits().mtu)) == Status::ok);
  meeting.run();
  CHECK(longest == 1200);
}

TEST_CASE("a goodbye ends both, and a second meeting resumes the session, with fewer bytes") {
  on_both([](bool reliable) {
    Meeting meeting(reliable);
    std::array<std::size_t, 2> bytes{};
    meeting.use_swarm_keys();
    for (std::size_t& of_this_meeting : bytes) {
      meeting.between = [&of_this_meeting](Bytes& said, bool) {
        of_this_meeting += said.size();
        return true;
      };
      meeting.dial();
      meeting.run();
      REQUIRE(meeting.met());
      meeting.caller.last()->link->close();
      CHECK(meeting.caller.last()->closings == 0);
      meeting.run();
      CHECK(meeting.caller.last()->closings == 1);
      CHECK(meeting.called.last()->closings == 1);
    }
    CHECK(meeting.caller.gate.counts().resumed == 1);
    CHECK(bytes[1] < bytes[0]);
  });
}

TEST_CASE("members one epoch apart meet, whoever dials; two epochs apart they do not") {
  on_both([](bool reliable) {
    struct Epochs {
      std::uint32_t callers, calleds;
      bool meet;
    };
    for (const Epochs epochs :
         {Epochs{7, 7, true}, {6, 7, true}, {7, 6, true}, {5, 7, false}, {7, 5, false}}) {
      const std::uint32_t callers = epochs.callers;
      const std::uint32_t calleds = epochs.calleds;
      const bool meet = epochs.meet;
      CAPTURE(callers);
      CAPTURE(calleds);
      Meeting meeting(reliable);
      meeting.use(swarm_keys(1, callers), swarm_keys(1, calleds));
      for (int dials = 0; dials < 2 && !meeting.met(); ++dials) {
        meeting.dial();
        meeting.run(20'000);
      }
      CHECK(meeting.met() == meet);
      CHECK(meeting.called.gate.counts().of(Refusal::unknown_key) == (meet && callers <= calleds ? 0
                                                                      : meet                     ? 1
                                                                                                 : 2));
    }
  });
}

TEST_CASE(
    "handshakes over datagrams survive losses, doubles and reordering, and no frame is forged or doubled") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Random random(seed, Purpose::data);
    Meeting meeting(false, {}, {.handshake_time = 60'000});
    meeting.use_swarm_keys();
    meeting.between = [&](Bytes& bytes, bool from_caller) {
      if (random.below(10) < 2) return false;
      if (random.below(10) < 2) (from_caller ? meeting.back : meeting.there)->bring(bytes);
      return true;
    };
    meeting.dial();
    meeting.run(60'000);
    REQUIRE(meeting.met());
    for (std::uint32_t k = 0; k < 100; ++k) {
      CHECK(meeting.caller.last()->link->send(frame_of(100, k)) == Status::ok);
      meeting.run();
    }
    std::size_t next = 0;
    for (const Bytes& frame : meeting.called.last()->frames) {
      while (next < 100 && frame != frame_of(100, static_cast<std::uint32_t>(next))) ++next;
      CHECK(next++ < 100);
    }
    CHECK(meeting.called.last()->frames.size() > 50);
  }
}

TEST_CASE("both dial at once over datagrams: one of them yields") {
  for (const bool cookies : {true, false}) {
    CAPTURE(cookies);
    Meeting meeting(false, {.cookies = cookies});
    meeting.use_swarm_keys().dial(true);
    meeting.run(5'000);
    REQUIRE(meeting.met());
    CHECK(meeting.caller.gate.counts().opened == 1);
    CHECK(meeting.called.gate.counts().opened == 1);
    CHECK(meeting.caller.last()->link->send(frame_of(100)) == Status::ok);
    meeting.run();
    CHECK(meeting.called.last()->frames == std::vector<Bytes>{frame_of(100)});
  }
}

TEST_CASE("a peer that has begun anew ends the session along a wire; where anybody may say so, it does not") {
  for (const bool cookies : {true, false}) {
    for (const bool to_caller : {true, false}) {
      CAPTURE(cookies);
      CAPTURE(to_caller);
      Meeting meeting(false, {.cookies = cookies});
      meeting.use_swarm_keys().dial();
      meeting.run();
      REQUIRE(meeting.met());
      Guarded anew(meeting.clock, 3, {.cookies = cookies});
      REQUIRE(anew.context.use(swarm_keys()) == Status::ok);
      HandLink wire({meeting.mtu, false});
      wire.user = anew.gate.admit(wire, meeting.calleds_address, true);
      REQUIRE(wire.sent.size() == 1);
      (to_caller ? meeting.there : meeting.back)->bring(wire.sent[0]);
      meeting.run();
      CHECK((to_caller ? meeting.caller : meeting.called).last()->closings == (cookies ? 0 : 1));
    }
  }
}

TEST_CASE("a session ends when it is old or has carried too much, and the next one is another") {
  on_both([](bool reliable) {
    Meeting meeting(reliable, {.session_age = 10'000, .session_records = 20});
    meeting.use_swarm_keys().dial();
    meeting.run();
    REQUIRE(meeting.met());
    for (int k = 0; k < 20; ++k) CHECK(meeting.caller.last()->link->send(frame_of(10)) == Status::ok);
    meeting.run(10);
    CHECK(meeting.called.last()->frames.size() == 20);
    CHECK(meeting.caller.last()->closings == 1);
    CHECK(meeting.called.last()->closings == 1);
    CHECK(meeting.caller.gate.counts().renewed == 1);
    meeting.dial();
    meeting.run();
    REQUIRE(meeting.met());
    meeting.run(10'100);
    CHECK(meeting.caller.last()->closings == 1);
  });
}

TEST_CASE("a peer that says nothing, or stops half-way, is given up; whoever dialled is told") {
  on_both([](bool reliable) {
    Meeting meeting(reliable);
    meeting.use_swarm_keys();
    meeting.between = [](Bytes&, bool) { return false; };
    meeting.dial();
    meeting.run(11'000);
    CHECK(meeting.caller.refusals == std::vector{Refusal::too_slow});
    CHECK(meeting.called.refusals == (reliable ? std::vector{Refusal::too_slow} : std::vector<Refusal>{}));
    CHECK(meeting.caller.diaries.empty());
  });
}

TEST_CASE("the smallest devices' suite has no key exchange, and does not speak with the other") {
  on_both([](bool reliable) {
    secure::SwarmKeys small = swarm_keys();
    small.forward_secret = false;
    for (const auto& [callers, calleds, meet] :
         {std::tuple{small, small, true}, {small, swarm_keys(), false}, {swarm_keys(), small, false}}) {
      Meeting meeting(reliable);
      meeting.use(callers, calleds).dial();
      meeting.run(20'000);
      CHECK(meeting.met() == meet);
      if (!meet && reliable) CHECK(meeting.called.refusals == std::vector{Refusal::not_our_suite});
    }
  });
}

TEST_CASE("without entropy there are no keys") {
  HandClock clock;
  Guarded guarded(clock, 1);
  guarded.entropy.left = 0;
  CHECK(guarded.context.use(swarm_keys()) == Status::no_entropy);
  HandLink link({1200, false});
  CHECK(guarded.gate.admit(link, {}, true) == nullptr);
  guarded.entropy.left = UINT64_MAX;
  CHECK(guarded.context.use(swarm_keys()) == Status::ok);
  link.user = guarded.gate.admit(link, {}, true);
  CHECK(link.user != nullptr);
  CHECK(bytes_of(link.sent) > 0);
}
