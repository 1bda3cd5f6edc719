#include "certificates.h"

#include "secure_pair.h"

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::test;
using secure::Refusal;

namespace {

// A member's papers, or those of somebody who would like to be one.
struct Papers {
  Papers(Holder& authority, std::uint32_t seed, const Claims& claims = {})
      : holder(seed),
        root(authority.certify(authority, {.name = "authority", .last_day = 400}, true)),
        own(authority.certify(holder, claims)),
        key(holder.key_bytes()) {}
  [[nodiscard]] secure::Certificates shown(std::uint32_t longest_days = 32) const {
    return {.authority = root, .own = own, .key = key, .swarm = "plants", .longest_days = longest_days};
  }
  Holder holder;
  std::vector<std::byte> root;
  std::vector<std::byte> own;
  std::vector<std::byte> key;
};

struct Case {
  const char* what;
  Claims claims;
};

const Case kRefused[] = {
    {"expired", {.first_day = -10, .last_day = -1}}, {"not valid yet", {.first_day = 2, .last_day = 10}},
    {"of another swarm", {.name = "animals"}},       {"for servers alone", {.usages = "server"}},
    {"without extended usages", {.usages = "none"}}, {"valid for too long", {.last_day = 60}},
};

// Both ways round, over a stream and over datagrams: whether caller and called meet.
void expect(const Papers& one, const Papers& other, bool meet) {
  for (const bool reliable : {true, false}) {
    for (const bool swapped : {false, true}) {
      CAPTURE(reliable);
      CAPTURE(swapped);
      Meeting meeting(reliable);
      const Papers& callers = swapped ? other : one;
      const Papers& calleds = swapped ? one : other;
      REQUIRE(meeting.caller.context.use(callers.shown(swapped ? 100 : 32)) == Status::ok);
      REQUIRE(meeting.called.context.use(calleds.shown(swapped ? 32 : 100)) == Status::ok);
      meeting.dial();
      meeting.run(20'000);
      CHECK(meeting.met() == meet);
      CHECK(meeting.caller.in() == meet);
      CHECK(meeting.called.in() == meet);
    }
  }
}

}  // namespace

TEST_CASE(
    "members with certificates of one authority meet, frames cross, and a second meeting takes fewer bytes") {
  Holder authority(1);
  const Papers callers(authority, 2);
  const Papers calleds(authority, 3);
  expect(callers, calleds, true);
  for (const bool reliable : {true, false}) {
    CAPTURE(reliable);
    Meeting meeting(reliable);
    REQUIRE(meeting.caller.context.use(callers.shown()) == Status::ok);
    REQUIRE(meeting.called.context.use(calleds.shown()) == Status::ok);
    std::size_t bytes[2] = {};
    for (std::size_t& of_this_meeting : bytes) {
      meeting.between = [&](Bytes& said, bool) {
        of_this_meeting += said.size();
        return true;
      };
      meeting.dial();
      meeting.run();
      REQUIRE(meeting.met());
      CHECK(meeting.caller.last()->link->send(frame_of(100)) == Status::ok);
      meeting.run();
      CHECK(meeting.called.last()->frames == std::vector<Bytes>{frame_of(100)});
      meeting.caller.last()->link->close();
      meeting.run();
    }
    CHECK(meeting.caller.gate.counts().resumed == 1);
    CHECK(bytes[1] < bytes[0]);
  }
}

TEST_CASE("a certificate that is out of date, of another swarm, for another use or for too long is refused") {
  Holder authority(1);
  const Papers member(authority, 2);
  std::uint32_t seed = 10;
  for (const Case& refused : kRefused) {
    INFO(refused.what);
    expect(member, Papers(authority, ++seed, refused.claims), false);
  }
}

TEST_CASE("a certificate of another authority, or of no swarm's key at all, is refused") {
  Holder authority(1);
  Holder impostor(9);
  const Papers member(authority, 2);
  expect(member, Papers(impostor, 3), false);
  Meeting meeting(true);
  REQUIRE(meeting.caller.context.use(swarm_keys()) == Status::ok);
  REQUIRE(meeting.called.context.use(member.shown()) == Status::ok);
  meeting.dial();
  meeting.run(20'000);
  CHECK(!meeting.met());
}

TEST_CASE("papers that cannot be read, or whose key is another's, are refused at once") {
  Holder authority(1);
  const Papers member(authority, 2);
  const Papers other(authority, 3);
  HandClock clock;
  SeededEntropy entropy(1);
  secure::Context context(entropy, clock);
  secure::Certificates wrong = member.shown();
  wrong.key = other.key;
  CHECK(context.use(wrong) == Status::invalid_field);
  wrong = member.shown();
  wrong.own = std::span(member.own).first(100);
  CHECK(context.use(wrong) == Status::invalid_field);
  wrong = member.shown();
  wrong.authority = {};
  CHECK(context.use(wrong) == Status::invalid_field);
  wrong = member.shown();
  wrong.swarm = {};
  CHECK(context.use(wrong) == Status::invalid_field);
}
