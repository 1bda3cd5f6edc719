#include <popsgd/fixed.h>
#include <popsgd/random.h>
#include <popsgd/schedule.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

namespace {

using popsgd::FixedRate;
using popsgd::FixedSchedule;
using popsgd::Purpose;
using popsgd::Random;
using popsgd::Schedule;
using popsgd::Status;
using popsgd::StepCounter;
using Shape = Schedule::Shape;

double value(FixedRate rate) {
  return std::ldexp(static_cast<double>(rate.mantissa), -rate.shift);
}

TEST_CASE("a fixed rate is the float's to 32 bits") {
  Random random(1, Purpose::user);
  for (int k = 0; k < 1000; ++k) {
    const double eta =
        std::ldexp(1.0 + static_cast<double>(random.uniform()), 30 - static_cast<int>(random.below(120)));
    REQUIRE(value(FixedRate::from(eta)) <= eta);
    REQUIRE(value(FixedRate::from(eta)) >= eta * (1 - 0x1p-31));
  }
  CHECK(FixedRate::from(0.5) == FixedRate{.mantissa = 0x8000'0000U, .shift = 32});
  static_assert(FixedRate::from(0.25).shift == 33);
}

TEST_CASE("what is no rate becomes 0, and what is too large the largest") {
  const FixedRate largest{.mantissa = 0xffff'ffffU};
  using Range = std::numeric_limits<double>;
  for (const double none : {0.0, -1.0, Range::quiet_NaN(), -Range::infinity(), 0x1p-200, Range::denorm_min()})
    CHECK(FixedRate::from(none).mantissa == 0);
  for (const double large : {4294967295.0, 1e10, Range::max(), Range::infinity()})
    CHECK(FixedRate::from(large) == largest);
  CHECK(FixedRate::from(4294967294.9).mantissa == 0xffff'fffeU);
  const FixedRate tiny = FixedRate::from(0x1p-126);
  CHECK(tiny == FixedRate{.mantissa = 2, .shift = 127});
  CHECK_FALSE(tiny == FixedRate{.mantissa = 2, .shift = 126});
  CHECK_FALSE(tiny == FixedRate{.mantissa = 3, .shift = 127});
}

// The same schedule in float and in integers.
struct Pair {
  Schedule in_float;
  FixedSchedule in_integers;
};
Pair random_pair(Shape shape, Random& random) {
  Pair pair;
  const float eta = std::ldexp(1 + random.uniform(), -static_cast<int>(random.below(12)));
  const StepCounter horizon = StepCounter::from_bits(1 + (random.bits64() >> (16 + random.below(40))));
  pair.in_float.shape = pair.in_integers.shape = shape;
  pair.in_float.eta = eta;
  pair.in_integers.eta = FixedRate::from(static_cast<double>(eta));
  pair.in_float.horizon = horizon.steps();
  pair.in_integers.horizon = horizon;
  pair.in_float.breakpoint_count = pair.in_integers.breakpoint_count = 3;
  for (std::size_t k = 0; k < 3; ++k) {
    const float factor = 0.01F + random.uniform();
    pair.in_float.breakpoints[k] = {100.0 * static_cast<double>(k + 1), factor};
    pair.in_integers.breakpoints[k] = {StepCounter(100 * (k + 1)),
                                       FixedRate::from(static_cast<double>(factor))};
  }
  return pair;
}

TEST_CASE("every shape is Schedule's to six digits, at any count") {
  Random random(2, Purpose::user);
  for (const Shape shape : {Shape::constant, Shape::inverse, Shape::inverse_sqrt, Shape::piecewise}) {
    CAPTURE(static_cast<int>(shape));
    for (int k = 0; k < 2000; ++k) {
      const Pair pair = random_pair(shape, random);
      REQUIRE(pair.in_integers.check() == Status::ok);
      const StepCounter t = StepCounter::from_bits(random.bits64() >> (1 + random.below(63)));
      const auto expected = static_cast<double>(pair.in_float.rate(t));
      CAPTURE(t.steps());
      CAPTURE(pair.in_float.horizon);
      REQUIRE(std::fabs(value(pair.in_integers.rate(t)) - expected) <= 1e-6 * expected);
    }
  }
}

TEST_CASE("a schedule begins at eta and changes exactly at its breakpoints") {
  FixedSchedule schedule{.eta = FixedRate::from(0.3), .horizon = StepCounter(1000)};
  for (const Shape shape : {Shape::constant, Shape::inverse, Shape::inverse_sqrt, Shape::piecewise}) {
    schedule.shape = shape;
    CHECK(value(schedule.rate(StepCounter(0))) == doctest::Approx(0.3).epsilon(1e-9));
  }
  schedule.breakpoint_count = 2;
  schedule.breakpoints[0] = {StepCounter(10), FixedRate::from(0.5)};
  schedule.breakpoints[1] = {StepCounter(20), FixedRate::from(0.125)};
  const auto at = [&](std::uint64_t bits) {
    return value(schedule.rate(StepCounter::from_bits(bits))) / 0.3;
  };
  CHECK(at((10 << 16) - 1) == doctest::Approx(1));
  CHECK(at(10 << 16) == doctest::Approx(0.5));
  CHECK(at((20 << 16) - 1) == doctest::Approx(0.5));
  CHECK(at(20 << 16) == doctest::Approx(0.125));
}

TEST_CASE("the shortest horizon and the longest count make a rate, not an overflow") {
  FixedSchedule schedule{
      .shape = Shape::inverse, .eta = FixedRate::from(1), .horizon = StepCounter::from_bits(1)};
  const StepCounter last = StepCounter::from_bits(std::numeric_limits<std::uint64_t>::max());
  CHECK(value(schedule.rate(last)) <= 0x1p-62);
  CHECK(value(schedule.rate(StepCounter::from_bits(1))) == 0.5);
  schedule.horizon = last;
  CHECK(value(schedule.rate(last)) == doctest::Approx(0.5));
  CHECK(value(schedule.rate(StepCounter(0))) == doctest::Approx(1));
  schedule.eta = {.mantissa = 0xffff'ffffU};
  schedule.shape = Shape::piecewise;
  schedule.breakpoint_count = 1;
  schedule.breakpoints[0] = {StepCounter(0), FixedRate::from(1e9)};
  CHECK(schedule.rate(last) == FixedRate{.mantissa = 0xffff'ffffU});
  schedule.eta = {.mantissa = 1, .shift = 127};
  schedule.breakpoints[0].factor = {.mantissa = 1, .shift = 127};
  CHECK(schedule.rate(last) == FixedRate{});
}

TEST_CASE(
    "a schedule has settled where its rate is below the threshold, in whatever units they are written") {
  Random random(3, Purpose::user);
  const auto any = [&random] {
    const auto mantissa = random.bits() >> random.below(33) % 32;
    return FixedRate{mantissa, static_cast<std::int8_t>(random.below(random.below(2) == 0 ? 4 : 128))};
  };
  std::uint64_t settled = 0;
  for (int k = 0; k < 20'000; ++k) {
    FixedSchedule schedule{.eta = any(), .settle = any()};
    if (k % 4 == 0 && schedule.eta.mantissa < 1U << 31 &&
        schedule.eta.shift < 127)  // the same value, and one above
      schedule.settle = {schedule.eta.mantissa * 2 + random.below(2),
                         static_cast<std::int8_t>(schedule.eta.shift + 1)};
    CAPTURE(value(schedule.eta));
    CAPTURE(value(schedule.settle));
    REQUIRE(schedule.settled(StepCounter(7)) == (value(schedule.eta) < value(schedule.settle)));
    settled += schedule.settled(StepCounter(7)) ? 1 : 0;
  }
  CHECK(settled > 5'000);
  CHECK_FALSE(FixedSchedule{.eta = {}}.settled(StepCounter(0)));  // never, if not asked for
  CHECK(FixedSchedule{.eta = {}, .settle = {.mantissa = 1, .shift = 127}}.settled(StepCounter(0)));
}

TEST_CASE("check() refuses what is no schedule") {
  FixedSchedule good;
  good.breakpoint_count = 2;
  good.breakpoints[0].steps = StepCounter(1);
  good.breakpoints[1].steps = StepCounter(2);
  CHECK(good.check() == Status::ok);
  FixedSchedule bad = good;
  bad.eta.shift = -1;
  CHECK(bad.check() == Status::invalid_rate);
  bad = good;
  bad.settle.shift = -1;
  CHECK(bad.check() == Status::invalid_rate);
  bad = good;
  bad.horizon = StepCounter(0);
  CHECK(bad.check() == Status::invalid_rate);
  bad = good;
  bad.breakpoint_count = FixedSchedule::kMaxBreakpoints + 1;
  CHECK(bad.check() == Status::invalid_size);
  bad = good;
  bad.breakpoints[1].factor.shift = -1;
  CHECK(bad.check() == Status::invalid_rate);
  bad = good;
  bad.breakpoints[1].steps = StepCounter(1);
  CHECK(bad.check() == Status::invalid_rate);
}

}  // namespace
