#include "exchange/window.h"

#include <popsgd/random.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Purpose;
using popsgd::Random;
using popsgd::Receiver;
using popsgd::RoundTrip;
using popsgd::Sender;
using popsgd::Time;

constexpr RoundTrip kPath{100, 10, 2000};

TEST_CASE("time wraps around: what is later stays later") {
  const Time before(0xFFFFFFF0U);
  const Time after = before + 0x20;
  CHECK(after.milliseconds() == 0x10);
  CHECK(after.since(before) == 0x20);
  CHECK(before.since(after) == -0x20);
  CHECK(before.reached(after));
  CHECK_FALSE(after.reached(before));
  CHECK(earlier(before, after) == before);
}

TEST_CASE(
    "the time-out is the smoothed round trip and four deviations (RFC 6298), doubled at each expiry up to "
    "the cap") {
  RoundTrip path = kPath;
  CHECK(path.timeout() == 100);
  path.sample(80);  // srtt = R, rttvar = R / 2
  CHECK(path.timeout() == 80 + 4 * 40);
  path.sample(80);  // rttvar <- 3/4 rttvar
  CHECK(path.timeout() == 80 + 4 * 30);
  path.expired();
  CHECK(path.timeout() == 400);
  for (int k = 0; k < 100; ++k) path.expired();
  CHECK(path.timeout() == 2000);
  for (int k = 0; k < 200; ++k) path.sample(1);
  CHECK(path.timeout() >= 10);
  CHECK(path.timeout() <= 12);
}

TEST_CASE(
    "a receiver accepts each chunk once, in any order within its window, and says exactly what it has") {
  constexpr std::uint64_t kSeed = 5;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (const std::uint16_t chunks : std::initializer_list<std::uint16_t>{1, 2, 33, 34, 200}) {
    CAPTURE(chunks);
    Receiver receiver;
    receiver.begin(chunks);
    std::vector<bool> has(chunks);
    std::uint32_t next = 0;
    while (next < chunks) {
      const auto chunk =
          static_cast<std::uint16_t>(next + random.bits() % 40 - std::min(next, random.bits() % 8));
      const bool outside = chunk >= chunks || chunk > next + 32;
      const auto arrival = receiver.take(chunk);
      REQUIRE((arrival == Receiver::Arrival::outside) == outside);
      if (outside) continue;
      REQUIRE((arrival == Receiver::Arrival::duplicate) == has[chunk]);
      has[chunk] = true;
      while (next < chunks && has[next]) ++next;
      const auto said = receiver.acknowledgement(7);
      REQUIRE((said.block == 7 && said.next == next));
      for (std::uint32_t k = 0; k < 32; ++k) {
        REQUIRE((said.bitmap >> k & 1U) == (next + 1 + k < chunks && has[next + 1 + k] ? 1U : 0U));
      }
    }
    CHECK(receiver.complete());
  }
}

TEST_CASE(
    "whatever a link loses, doubles or reorders, every chunk arrives, and none is in flight beyond the "
    "window") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Random random(seed, Purpose::user);
    const float lose = 0.6F * random.uniform();
    const auto chunks = static_cast<std::uint16_t>(1 + random.bits() % 150);
    const auto window = static_cast<std::uint16_t>(1 + random.bits() % 32);
    struct Packet {
      Time at;
      std::uint16_t chunk;
    };
    struct Answer {
      Time at;
      popsgd::codec::Acknowledgement what;
    };
    std::vector<Packet> there;
    std::vector<Answer> back;
    Sender sender;
    Receiver receiver;
    sender.connect({window, false}, kPath);
    sender.begin(chunks);
    receiver.begin(chunks);
    Time now(0xFFFFFF00U);
    const Time start = now;
    std::vector<int> sent(chunks);
    while (!sender.complete()) {
      REQUIRE(now.since(start) < 3'600'000);
      while (const auto chunk = sender.next(now)) {
        REQUIRE(*chunk < chunks);
        REQUIRE(*chunk < receiver.acknowledgement(0).next + 64);
        ++sent[*chunk];
        const int copies = random.uniform() < 0.1F ? 2 : 1;
        for (int k = 0; k < copies; ++k) {
          if (random.uniform() >= lose) there.push_back({now + 1 + random.bits() % 60, *chunk});
        }
      }
      const auto due = sender.deadline(now);
      REQUIRE((due || !there.empty() || !back.empty()));  // never stuck
      Time next = due.value_or(now + 1000);
      for (const Packet& packet : there) next = earlier(next, packet.at);
      for (const Answer& answer : back) next = earlier(next, answer.at);
      now = next.since(now) > 0 ? next : now + 1;
      std::erase_if(there, [&](const Packet& packet) {
        if (!packet.at.reached(now)) return false;
        const auto arrival = receiver.take(packet.chunk);
        CHECK(arrival != Receiver::Arrival::outside);
        if (random.uniform() >= lose)
          back.push_back({now + 1 + random.bits() % 60, receiver.acknowledgement(0)});
        return true;
      });
      std::erase_if(back, [&](const Answer& answer) {
        if (!answer.at.reached(now)) return false;
        CHECK(sender.acknowledge(answer.what.next, answer.what.bitmap, now));
        return true;
      });
    }
    CHECK(receiver.complete());
    CHECK(std::ranges::all_of(sent, [](int times) { return times >= 1; }));
  }
}

TEST_CASE("over a lossless link no chunk is sent twice, and over a reliable one none ever is") {
  for (const bool reliable : {false, true}) {
    Sender sender;
    Receiver receiver;
    sender.connect({32, reliable}, kPath);
    sender.begin(500);
    receiver.begin(500);
    Time now(0);
    std::deque<std::pair<Time, popsgd::codec::Acknowledgement>> back;
    while (!sender.complete()) {
      while (const auto chunk = sender.next(now)) {
        REQUIRE(receiver.take(*chunk) == Receiver::Arrival::fresh);
        back.emplace_back(now + 30, receiver.acknowledgement(0));
      }
      REQUIRE_FALSE(back.empty());
      now = back.front().first;
      REQUIRE(sender.acknowledge(back.front().second.next, back.front().second.bitmap, now));
      back.pop_front();
    }
    CHECK(sender.retransmissions() == 0);
  }
}

TEST_CASE("an acknowledgement may speak of all 32 chunks in flight, and no further") {
  Sender sender;
  sender.connect({32, true}, kPath);
  sender.begin(40);
  const Time now(1);
  while (sender.next(now)) {
  }
  CHECK_FALSE(sender.acknowledge(0, 1U << 31, now));  // the thirty-third
  CHECK(sender.acknowledge(0, ~0U >> 1, now));        // all but the first
  CHECK(sender.held() == 31);
  CHECK(sender.acknowledge(32, 0, now));
  CHECK(sender.held() == 32);
  CHECK(sender.next(now) == 32);
}

TEST_CASE("a peer that takes back what it has acknowledged holds nobody up") {
  Sender sender;
  sender.connect({8, false}, kPath);
  sender.begin(6);
  const Time now(0);
  while (sender.next(now)) {
  }
  while (!sender.complete()) {
    const std::uint32_t base = sender.held();
    REQUIRE(sender.acknowledge(static_cast<std::uint16_t>(base), 1, now));      // the next but one
    REQUIRE(sender.acknowledge(static_cast<std::uint16_t>(base + 1), 0, now));  // the next, and not that one
    CHECK(sender.held() == base + 2);
    for (Time later = now; !sender.complete() && sender.held() == base + 2;) {
      const auto due = sender.deadline(later);
      REQUIRE(due);
      REQUIRE(due->since(later) >= 0);
      later = *due;
      if (sender.next(later)) break;
    }
    while (sender.next(now)) {
    }
  }
}

TEST_CASE("an acknowledgement of what was never sent is refused and changes nothing") {
  Sender sender;
  sender.connect({8, false}, kPath);
  sender.begin(20);
  Time now(1);
  std::uint16_t sent = 0;
  while (sender.next(now)) ++sent;
  REQUIRE(sent == 4);  // the initial congestion window
  CHECK_FALSE(sender.acknowledge(5, 0, now));
  CHECK_FALSE(sender.acknowledge(0, 1U << 3, now));
  CHECK_FALSE(sender.acknowledge(4, 1, now));
  CHECK_FALSE(sender.acknowledge(2, 1U << 31, now));
  CHECK_FALSE(sender.next(now).has_value());
  CHECK(sender.acknowledge(2, 1U << 0, now));
  CHECK(sender.next(now).has_value());
}

}  // namespace
