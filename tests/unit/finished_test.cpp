#include "exchange/finished.h"

#include <array>
#include <cstdint>

#include <doctest/doctest.h>

namespace {

using popsgd::Finished;
using popsgd::FinishedExchange;
using popsgd::Time;

constexpr Time kNow{0xFFFFFFF0U};  // the clock wraps around meanwhile

FinishedExchange exchange(std::uint64_t name, std::uint32_t until, bool initiator) {
  return {.name = name,
          .offer = 100 + name,
          .until = kNow + until,
          .blocks = 4,
          .decided = 2,
          .first = 3,
          .role = initiator ? popsgd::Role::initiator : popsgd::Role::responder};
}

TEST_CASE("of an exchange that began with block 3 of 4 and decided two blocks, these are 3 and 0") {
  const FinishedExchange past = exchange(1, 0, true);
  for (std::uint16_t block = 0; block < 6; ++block) {
    CAPTURE(block);
    CHECK(past.has(block) == (block == 3 || block == 0));
  }
}

TEST_CASE("what is remembered is found by its name and its offer until its time is over") {
  std::array<FinishedExchange, 3> places{};
  Finished finished(places);
  finished.remember(exchange(1, 10, true), kNow);
  finished.remember(exchange(2, 30, false), kNow);
  CHECK(finished.find(1) != nullptr);
  CHECK(finished.knows_offer(102));
  CHECK(finished.find(3) == nullptr);
  CHECK_FALSE(finished.knows_offer(2));
  finished.forget(kNow + 9);
  CHECK(finished.find(1) != nullptr);
  finished.forget(kNow + 20);
  CHECK(finished.find(1) == nullptr);
  CHECK_FALSE(finished.knows_offer(101));
  CHECK(finished.find(2) != nullptr);
}

TEST_CASE(
    "an exchange has one place, and a full table gives up the oldest it answered, then the oldest it "
    "offered") {
  std::array<FinishedExchange, 3> places{};
  Finished finished(places);
  finished.remember(exchange(1, 10, true), kNow);
  finished.remember(exchange(2, 40, false), kNow);
  finished.remember(exchange(3, 30, false), kNow);
  finished.remember(exchange(1, 15, true), kNow);
  CHECK(finished.find(1)->until.since(kNow) == 15);
  CHECK(finished.find(3) != nullptr);
  finished.remember(exchange(4, 50, true), kNow);
  CHECK(finished.find(3) == nullptr);
  finished.remember(exchange(5, 60, true), kNow);
  CHECK(finished.find(2) == nullptr);
  finished.remember(exchange(7, 70, false), kNow);
  CHECK(finished.find(7) == nullptr);  // none of its worth, or less, is left
  CHECK(finished.find(1) != nullptr);
  finished.remember(exchange(6, 70, true), kNow);
  CHECK(finished.find(1) == nullptr);
  CHECK((finished.find(4) != nullptr && finished.find(5) != nullptr && finished.find(6) != nullptr));
  finished.remember(exchange(6, 80, false),
                    kNow);  // what is known by its name is renewed, whatever its worth
  CHECK(finished.find(6)->until.since(kNow) == 80);
}

}  // namespace
