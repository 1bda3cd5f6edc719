// What is spent on those who have not proven themselves, and what a flood of them leaves to others.
#include "crowd.h"

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::test;
using secure::Limits;
using secure::Refusal;

namespace {

constexpr bool kBoth[] = {true, false};

struct Called {
  explicit Called(bool reliable, const Limits& limits = {})
      : member(clock, 2, {}, limits), crowd(member, reliable) {
    if (member.context.use(swarm_keys()) != Status::ok) std::abort();
  }
  ~Called() { crowd.hang_up(); }
  Called(const Called&) = delete;
  Called& operator=(const Called&) = delete;
  Called(Called&&) = delete;
  Called& operator=(Called&&) = delete;
  [[nodiscard]] std::uint64_t refused(Refusal refusal) const { return member.gate.counts().of(refusal); }

  HandClock clock{};
  Guarded member;
  Crowd crowd;
};

}  // namespace

TEST_CASE(
    "16 handshakes at a time, on a device 1: one more is refused, a second later the oldest makes room") {
  for (const bool reliable : kBoth) {
    for (const std::size_t most : {std::size_t{16}, std::size_t{1}}) {
      CAPTURE(reliable);
      CAPTURE(most);
      Called called(reliable, most == 16 ? Limits{} : Limits{.handshakes = most});
      std::uint32_t number = 0;
      while (number < most) {
        CHECK(called.crowd.greet(source(number)));
        ++number;
      }
      CHECK_FALSE(called.crowd.greet(source(++number)));
      CHECK(called.refused(Refusal::too_many_handshakes) == 1);
      CHECK(called.crowd.links.size() == most);
      called.clock.time = called.clock.time + 1'001;
      CHECK(called.crowd.greet(source(++number)));
      CHECK(called.refused(Refusal::too_many_handshakes) == 2);
      CHECK(called.crowd.links.size() == most);
    }
  }
}

TEST_CASE(
    "one address begins 8 handshakes at a time and 20 within a second, the next address is let in all the "
    "same") {
  for (const bool reliable : kBoth) {
    CAPTURE(reliable);
    Called called(reliable);
    std::size_t begun = 0;
    std::uint16_t port = 1;
    while (port <= 50) begun += called.crowd.greet(source(1, port++)) ? 1 : 0;
    CHECK(begun == 8);
    CHECK(called.refused(Refusal::too_many_handshakes) == 12);
    CHECK(called.refused(Refusal::too_often) == 30);
    CHECK(called.crowd.greet(source(2)));
    called.clock.time = called.clock.time + 1'000;
    CHECK(called.crowd.greet(source(1, port)));
  }
}

TEST_CASE("an IPv6 network of 64 bits counts as one address") {
  Called called(true);
  for (std::uint8_t k = 0; k < 30; ++k) {
    Address from{{0x20, 1, 0xD, 0xB8}, 1000};
    from.ip[15] = k;
    called.crowd.call(from);
  }
  CHECK(called.refused(Refusal::too_often) == 10);
  CHECK(called.crowd.call({{0x20, 1, 0xD, 0xB8, 0, 0, 0, 1}, 1000}));
}

TEST_CASE("30 handshakes a second from wherever, and a second later again") {
  for (const bool reliable : kBoth) {
    CAPTURE(reliable);
    Called called(reliable);
    for (const std::size_t expected : {30U, 60U}) {
      for (std::uint32_t k = 0; k < 45; ++k) {
        static_cast<void>(called.crowd.greet(source(k)));
        called.crowd.hang_up();
      }
      const auto refused = called.refused(Refusal::too_many_handshakes);
      CHECK(refused == expected / 2);
      called.clock.time = called.clock.time + 1'000;
    }
  }
}

TEST_CASE(
    "48 silent callers over streams at a time: the oldest makes room, and all places are never theirs") {
  Called called(true);
  std::size_t waiting = 0;
  for (std::uint32_t k = 0; k < 100; ++k) waiting += called.crowd.call(source(k)) ? 1 : 0;
  CHECK(waiting == 48);
  called.clock.time = called.clock.time + 1'001;
  CHECK(called.crowd.greet(source(200)));
  CHECK(called.crowd.links.size() == 48);
  called.clock.time = called.clock.time + 9'000;
  called.member.gate.poll();
  called.crowd.settle();
  CHECK(called.crowd.links.size() == 1);  // the silent are given up
}

TEST_CASE(
    "192 places, members' included: whoever comes when all are taken is turned away, and no member makes "
    "room") {
  Called called(true, {.links = 20, .per_source = 100});
  std::vector<std::unique_ptr<Stranger>> members;
  std::vector<std::unique_ptr<HandLink>> links;
  // One who has the key, as often as it likes: members are not told apart. The places are what bounds it.
  for (int k = 0; k < 25; ++k) {
    members.push_back(std::make_unique<Stranger>(true, true, swarm_keys().current));
    Stranger& member = *members.back();
    links.push_back(std::make_unique<HandLink>(LinkTraits{65535, true}));
    HandLink& link = *links.back();
    link.user = called.member.gate.admit(link, source(1, static_cast<std::uint16_t>(k)), false);
    for (int turns = 0; turns < 4; ++turns) {
      member.turn();
      for (const Bytes& bytes : std::exchange(member.said, {})) link.bring(bytes);
      for (Bytes& bytes : std::exchange(link.sent, {})) member.heard.push_back(std::move(bytes));
    }
    CHECK(member.done == (k < 20));
  }
  CHECK(called.member.diaries.size() == 20);
  CHECK(called.refused(Refusal::too_many_links) == 5);
  for (const auto& diary : called.member.diaries) CHECK(diary->closings == 0);
  for (const auto& link : links) {
    link->close();
    link->settle();
  }
}

TEST_CASE(
    "1,000 hellos a second for a minute from spoofed sources: each is answered by a cookie, and takes no "
    "memory") {
  Called called(false);
  Meeting newcomers(false);  // only their clocks and keys
  Stranger caller(true, false, swarm_keys().current);
  caller.turn();
  const Bytes hello = caller.said.at(0);
  const auto one = [&](std::uint32_t number) {
    HandLink link({1200, false});
    link.user = called.member.gate.admit(link, source(number), false);
    REQUIRE(link.user != nullptr);
    link.bring(hello);
    link.settle();
  };
  one(0);
  const std::size_t before = memory_in_use();
  for (std::uint32_t ms = 1; ms <= 60'000; ++ms) {
    called.clock.time = called.clock.time + 1;
    one(ms);
    if (ms % 1000 == 0) CHECK(called.crowd.greet(source(0x800000 + ms)));
    if (ms % 1000 == 500) called.crowd.hang_up();
    called.member.gate.poll();
  }
  called.crowd.hang_up();
  CHECK(called.member.gate.counts().greeted >= 60'000);
  CHECK(called.refused(Refusal::too_many_handshakes) == 0);
  CHECK(memory_in_use() <= before + 100'000);
}

TEST_CASE(
    "1,000 hellos a second from real sources that then say nothing: bounded memory, and a newcomer gets in "
    "at once after it") {
  for (const bool reliable : kBoth) {
    CAPTURE(reliable);
    Called called(reliable);
    const std::size_t before = memory_in_use();
    std::size_t most = 0;
    for (std::uint32_t ms = 1; ms <= 5'000; ++ms) {
      called.clock.time = called.clock.time + 1;
      static_cast<void>(called.crowd.greet(source(ms)));
      called.member.gate.poll();
      called.crowd.settle();
      most = std::max(most, memory_in_use() - std::min(before, memory_in_use()));
    }
    // 16 sessions of 34 KB, what is kept of hellos and answers, and the crowd itself.
    CHECK(most < 2'000'000);
    CHECK(called.crowd.links.size() <= 48);
    called.clock.time = called.clock.time + 1'001;
    CHECK(called.crowd.greet(source(0x800000)));
    called.clock.time = called.clock.time + 11'000;
    called.member.gate.poll();
    called.crowd.settle();
    CHECK(called.crowd.links.empty());
    CHECK(memory_in_use() <= before + 200'000);
  }
}

TEST_CASE("16 dials at a time; one more is not begun") {
  HandClock clock;
  Guarded member(clock, 1);
  REQUIRE(member.context.use(swarm_keys()) == Status::ok);
  std::vector<std::unique_ptr<HandLink>> links;
  for (std::uint32_t k = 0; k < 17; ++k) {
    links.push_back(std::make_unique<HandLink>(LinkTraits{1200, false}));
    links.back()->user = member.gate.admit(*links.back(), source(k), true);
    CHECK((links.back()->user != nullptr) == (k < 16));
  }
  for (const auto& link : links) {
    link->close();
    link->settle();
  }
}
