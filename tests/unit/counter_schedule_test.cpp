#include <popsgd/counter.h>
#include <popsgd/random.h>
#include <popsgd/schedule.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

namespace {

using popsgd::Purpose;
using popsgd::Random;
using popsgd::Schedule;
using popsgd::Status;
using popsgd::StepCounter;
using Shape = Schedule::Shape;

constexpr double kUnit = 0x1p-16;  // of a StepCounter

TEST_CASE("a counter counts steps") {
  StepCounter counter;
  CHECK(counter.steps() == 0);
  counter.add_step();
  counter.add_step();
  CHECK(counter.steps() == 2);
  CHECK(StepCounter(7).steps() == 7);
  CHECK(counter == StepCounter(2));
}

TEST_CASE("a counter still counts single steps far beyond the integers a float can hold") {
  StepCounter counter(std::uint64_t{1} << 36);
  counter.add_step();
  CHECK(counter.steps() == 0x1p36 + 1);
}

TEST_CASE("counters that meet become their mean and conserve the sum exactly") {
  Random random(1, Purpose::user);
  StepCounter a;
  StepCounter b(1);
  for (int k = 0; k < 1000; ++k) {
    const double sum = a.steps() + b.steps();
    meet(a, b);
    REQUIRE(a.steps() + b.steps() == sum);
    REQUIRE(std::fabs(a.steps() - b.steps()) <= kUnit);
    if (random.below(2) == 0) a.add_step();
    if (random.below(3) == 0) b = StepCounter(random.below(1U << 20));
  }
}

TEST_CASE("the odd unit stays with the first counter, whichever is ahead") {
  StepCounter a(1);
  StepCounter b(0);
  for (int k = 0; k < 16; ++k) {  // b: 1/2, 1/4 ... one unit
    meet(a, b);
    a = StepCounter(0);
  }
  REQUIRE(b.steps() == kUnit);
  StepCounter first;
  StepCounter second = b;
  meet(first, second);
  CHECK(first.steps() == kUnit);
  CHECK(second.steps() == 0);
  meet(first, second);
  CHECK(first.steps() == kUnit);
  CHECK(second.steps() == 0);
}

TEST_CASE("meeting works in constant expressions") {
  constexpr double kHalf = [] {
    StepCounter a(3);
    StepCounter b(4);
    meet(a, b);
    return b.steps();
  }();
  static_assert(kHalf == 3.5);
}

TEST_CASE("a counter's bits are units of 2^-16 steps, and make the same counter again") {
  CHECK(StepCounter(3).bits() == std::uint64_t{3} << 16);
  CHECK(StepCounter::from_bits(1).steps() == kUnit);
  CHECK(StepCounter::from_bits(0) == StepCounter());
  CHECK(StepCounter::from_bits(std::uint64_t{5} << 16) == StepCounter(5));
  for (const std::uint64_t bits :
       {std::uint64_t{1}, std::uint64_t{0x0123'4567'89AB'CDEF}, ~std::uint64_t{0}}) {
    CHECK(StepCounter::from_bits(bits).bits() == bits);
  }
}

TEST_CASE("every shape of schedule has its hand-computed rates") {
  Schedule schedule{.eta = 0.5F, .horizon = 100};
  SUBCASE("constant") {
    CHECK(schedule.rate(StepCounter(0)) == 0.5F);
    CHECK(schedule.rate(StepCounter(1'000'000)) == 0.5F);
  }
  SUBCASE("inverse") {
    schedule.shape = Shape::inverse;
    CHECK(schedule.rate(StepCounter(0)) == 0.5F);
    CHECK(schedule.rate(StepCounter(100)) == 0.25F);
    CHECK(schedule.rate(StepCounter(300)) == 0.125F);
  }
  SUBCASE("inverse square root") {
    schedule.shape = Shape::inverse_sqrt;
    CHECK(schedule.rate(StepCounter(0)) == 0.5F);
    CHECK(schedule.rate(StepCounter(300)) == 0.25F);
    CHECK(schedule.rate(StepCounter(1500)) == 0.125F);
  }
  SUBCASE("piecewise, each factor from its breakpoint on") {
    schedule.shape = Shape::piecewise;
    CHECK(schedule.rate(StepCounter(5)) == 0.5F);
    schedule.breakpoint_count = 2;
    schedule.breakpoints = {{{100, 0.5F}, {200, 0.125F}}};
    CHECK(schedule.rate(StepCounter(0)) == 0.5F);
    CHECK(schedule.rate(StepCounter(99)) == 0.5F);
    CHECK(schedule.rate(StepCounter(100)) == 0.25F);
    CHECK(schedule.rate(StepCounter(199)) == 0.25F);
    CHECK(schedule.rate(StepCounter(200)) == 0.0625F);
    CHECK(schedule.rate(StepCounter(1'000'000)) == 0.0625F);
    StepCounter a(99);
    StepCounter b(100);
    meet(a, b);
    CHECK(schedule.rate(a) == 0.5F);  // 99.5 steps
  }
  SUBCASE("piecewise, from the start and with all breakpoints in use") {
    schedule.shape = Shape::piecewise;
    schedule.breakpoint_count = Schedule::kMaxBreakpoints;
    for (std::size_t k = 0; k < Schedule::kMaxBreakpoints; ++k) {
      schedule.breakpoints[k] = {10.0 * static_cast<double>(k), std::ldexp(1.0F, -static_cast<int>(k) - 1)};
    }
    CHECK(schedule.rate(StepCounter(0)) == 0.25F);
    CHECK(schedule.rate(StepCounter(69)) == std::ldexp(0.5F, -7));
    CHECK(schedule.rate(StepCounter(70)) == std::ldexp(0.5F, -8));
  }
}

TEST_CASE("a schedule has settled from the count on at which its rate falls below the threshold, not at it") {
  Schedule schedule{.shape = Shape::inverse, .eta = 0.5F, .horizon = 100};
  CHECK_FALSE(schedule.settled(StepCounter(1'000'000'000)));
  schedule.settle = 0.25F;
  CHECK_FALSE(schedule.settled(StepCounter(100)));
  CHECK(schedule.settled(StepCounter::from_bits((100 << 16) + 1)));
  CHECK_FALSE(Schedule{.eta = 0}.settled(StepCounter(0)));  // never, if not asked for
  CHECK(Schedule{.eta = 0, .settle = 1e-30F}.settled(StepCounter(0)));
}

TEST_CASE("check() accepts the whole stated range") {
  CHECK(Schedule{}.check() == Status::ok);
  CHECK(Schedule{.eta = 0}.check() == Status::ok);
  CHECK(Schedule{.eta = std::numeric_limits<float>::max(), .horizon = 1e-300}.check() == Status::ok);
  Schedule schedule{.shape = Shape::piecewise, .breakpoint_count = Schedule::kMaxBreakpoints};
  for (std::size_t k = 0; k < Schedule::kMaxBreakpoints; ++k)
    schedule.breakpoints[k] = {static_cast<double>(k), 0};
  CHECK(schedule.check() == Status::ok);
}

TEST_CASE("check() refuses values out of range") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float bad : {kNan, kInfinity, -kInfinity, -1e-30F}) {
    CAPTURE(bad);
    const auto wide = static_cast<double>(bad);
    CHECK(Schedule{.eta = bad}.check() == Status::invalid_rate);
    CHECK(Schedule{.settle = bad}.check() == Status::invalid_rate);
    CHECK(Schedule{.horizon = wide}.check() == Status::invalid_rate);
    CHECK(Schedule{.breakpoint_count = 1, .breakpoints = {{{wide, 1}}}}.check() == Status::invalid_rate);
    CHECK(Schedule{.breakpoint_count = 1, .breakpoints = {{{1, bad}}}}.check() == Status::invalid_rate);
  }
  CHECK(Schedule{.horizon = 0}.check() == Status::invalid_rate);
}

TEST_CASE("check() refuses breakpoints that do not ascend, and too many") {
  CHECK(Schedule{.breakpoint_count = 2, .breakpoints = {{{20, 1}, {10, 1}}}}.check() == Status::invalid_rate);
  CHECK(Schedule{.breakpoint_count = 2, .breakpoints = {{{10, 1}, {10, 1}}}}.check() == Status::invalid_rate);
  CHECK(Schedule{.breakpoint_count = 1, .breakpoints = {{{20, 1}, {10, 1}}}}.check() == Status::ok);
  CHECK(Schedule{.breakpoint_count = Schedule::kMaxBreakpoints + 1}.check() != Status::ok);
}

}  // namespace
