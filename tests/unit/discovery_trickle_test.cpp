// RFC 6206, section 4.2, rule by rule.
#include "statistics.h"

#include <popsgd/discovery/trickle.h>

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Random;
using popsgd::Time;
using popsgd::discovery::Trickle;
using popsgd::discovery::TrickleConfig;

constexpr Time kStart{0xFFFFFE00U};  // the clock wraps around meanwhile
constexpr TrickleConfig kConfig{.shortest = 100, .doublings = 3, .redundancy = 2};

Trickle trickle(std::uint32_t index = 0, const TrickleConfig& config = kConfig) {
  return {config, Random(1, popsgd::Purpose::user, index), kStart};
}

// To the point of the interval under way, then to its end: the point's time, and whether it transmitted there.
std::pair<Time, bool> to_point(Trickle& timer) {
  const Time point = timer.deadline();
  return {point, timer.poll(point)};
}
Time to_end(Trickle& timer) {
  const Time end = timer.deadline();
  CHECK_FALSE(timer.poll(end));
  return end;
}

TEST_CASE(
    "rules 1, 2 and 5: intervals of 100, 200, 400, 800, 800, ... ms, a point in the second half of each") {
  Trickle timer = trickle();
  Time begin = kStart;
  for (const std::uint32_t length : {100U, 200U, 400U, 800U, 800U, 800U}) {
    CAPTURE(length);
    CHECK(timer.interval() == length);
    const auto [point, transmits] = to_point(timer);
    CHECK(transmits);
    CHECK(point.since(begin) >= static_cast<std::int32_t>(length / 2));
    CHECK(point.since(begin) < static_cast<std::int32_t>(length));
    const Time end = to_end(timer);
    CHECK(end == begin + length);
    begin = end;
  }
}

TEST_CASE("rule 2: the point is uniform over the second half (fails by chance once in 3 million)") {
  std::array<std::uint64_t, 50> counts{};
  for (std::uint32_t k = 0; k < 100'000; ++k)
    ++counts.at(static_cast<std::size_t>(trickle(k).deadline().since(kStart)) - 50);
  CHECK(popsgd::test::chi_square_deviate(counts) < popsgd::test::kFiveSigma);
}

TEST_CASE("rules 3 and 4: it stays silent after k consistent messages, counted anew in each interval") {
  Trickle timer = trickle();
  timer.consistent();
  CHECK(to_point(timer).second);  // 1 < k
  timer.consistent();
  timer.consistent();  // after the point: of no consequence
  to_end(timer);
  timer.consistent();
  timer.consistent();
  CHECK_FALSE(to_point(timer).second);  // 2 = k
  to_end(timer);
  CHECK(to_point(timer).second);
}

TEST_CASE("with a redundancy constant of 0 it never stays silent") {
  Trickle timer = trickle(0, {.shortest = 100, .doublings = 3, .redundancy = 0});
  for (int k = 0; k < 1000; ++k) timer.consistent();
  CHECK(to_point(timer).second);
}

TEST_CASE("rule 6: an inconsistency begins an interval of Imin; within one of Imin it changes nothing") {
  Trickle timer = trickle();
  const Time first = timer.deadline();
  timer.inconsistent(kStart + 10);
  CHECK(timer.deadline() == first);
  to_point(timer);
  timer.inconsistent(kStart + 99);
  CHECK(timer.deadline() == kStart + 100);
  const Time second = to_end(timer);
  CHECK(timer.interval() == 200);
  timer.consistent();
  timer.consistent();
  timer.inconsistent(second + 30);
  CHECK(timer.interval() == 100);
  const auto [point, transmits] = to_point(timer);
  CHECK(transmits);  // the counter began anew, too
  CHECK(point.since(second + 30) >= 50);
  CHECK(to_end(timer) == second + 130);
  CHECK(timer.interval() == 200);
}

TEST_CASE("polled early it does nothing; polled late it transmits once, and goes on from there") {
  Trickle timer = trickle();
  CHECK_FALSE(timer.poll(kStart + 49));
  CHECK(timer.poll(kStart + 5'000));
  CHECK(timer.interval() == 200);
  CHECK(timer.deadline().since(kStart + 5'000) >= 100);
  CHECK_FALSE(timer.poll(kStart + 5'000));
}

TEST_CASE("the shortest interval there can be has its point at its half") {
  Trickle timer = trickle(0, {.shortest = 2, .doublings = 0, .redundancy = 1});
  CHECK(timer.deadline() == kStart + 1);
  CHECK(timer.poll(kStart + 1));
  CHECK(to_end(timer) == kStart + 2);
  CHECK(timer.interval() == 2);
}

// Any order of events keeps what the rules promise: at most one transmission an interval, in its second half.
TEST_CASE("whatever happens, a timer transmits at most once in Imin / 2, and its deadline is never far") {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    Random random(2, popsgd::Purpose::user, seed);
    Trickle timer = trickle(seed);
    Time now = kStart;
    Time last = kStart;
    for (int k = 0; k < 500; ++k) {
      now = now + random.below(120);
      if (random.below(4) == 0) timer.consistent();
      if (random.below(10) == 0) timer.inconsistent(now);
      if (timer.poll(now)) {
        REQUIRE(now.since(last) >= 50);
        last = now;
      }
      REQUIRE(timer.deadline().since(now) > 0);
      REQUIRE(timer.deadline().since(now) <= 800);
    }
  }
}

}  // namespace
