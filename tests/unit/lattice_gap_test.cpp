#include "lattice.h"

#include <popsgd/lattice/encoding.h>
#include <popsgd/lattice/gap.h>
#include <popsgd/random.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd::lattice;
using popsgd::ConstParams;
using popsgd::Params;
using popsgd::Purpose;
using popsgd::Random;
using popsgd::test::between;

template <typename Integer>
std::vector<std::int32_t> widened(const std::vector<Integer>& x) {
  return {x.begin(), x.end()};
}

std::vector<std::int32_t> points_of(Values values, Lattice lattice) {
  std::vector<std::int32_t> points(values.size());
  quantise(values, lattice, points);
  return points;
}

// What both sides of an exchange come to, each from its own values and the other's points.
struct Gaps {
  std::vector<std::int32_t> initiators;
  std::vector<std::int32_t> responders;
  Gap initiator;
  Gap responder;

  Gaps(Values i, Lattice lattice_i, Values r, Lattice lattice_r)
      : initiators(points_of(r, lattice_r)), responders(points_of(i, lattice_i)) {
    initiator = difference(Side::initiator, i, lattice_i, initiators, lattice_r.exponent);
    responder = difference(Side::responder, r, lattice_r, responders, lattice_i.exponent);
  }
};

template <typename Integer>
void conserve(std::uint64_t seed, int exchanges, int range, int most_shift) {
  CAPTURE(seed);
  Random random(seed, Purpose::user);
  for (int round = 0; round < exchanges; ++round) {
    CAPTURE(round);
    const std::size_t length = 1 + random.below(round % 64 == 0 ? 300 : 8);
    const int fraction = between(random, -2, 14);
    std::vector<Integer> i(length);
    std::vector<Integer> r(length);
    for (std::size_t k = 0; k < length; ++k) {
      i[k] = static_cast<Integer>(between(random, -range, range));
      r[k] = static_cast<Integer>(between(random, -range, range));
    }
    const auto before_i = widened(i);
    const auto before_r = widened(r);
    const std::uint32_t offset = random.bits();
    // As exponents of value; in one round of eight even finer than the unit.
    const int finest = round % 8 == 0 ? -3 : 0;
    const Lattice lattice_i{between(random, finest, most_shift) - fraction, dither_of(offset)};
    const Lattice lattice_r{between(random, finest, most_shift) - fraction, dither_of(offset)};
    const Gaps gaps(Values(ConstPoints(before_i), fraction), lattice_i,
                    Values(ConstPoints(before_r), fraction), lattice_r);
    REQUIRE(gaps.initiators == gaps.responders);
    REQUIRE(gaps.initiator.exponent == gaps.responder.exponent);
    const Rounding rounding{fraction, coins_of(offset)};
    REQUIRE(move(i, fraction, gaps.initiator, Side::initiator, rounding) == 0);
    REQUIRE(move(r, fraction, gaps.responder, Side::responder, rounding) == 0);
    for (std::size_t k = 0; k < length; ++k) REQUIRE(i[k] + r[k] == before_i[k] + before_r[k]);
  }
}

TEST_CASE("100,000 exchanges of int16 models, with any steps, conserve every sum bit for bit") {
  conserve<std::int16_t>(1, 100'000, 12'000, 10);
}

TEST_CASE("100,000 exchanges of int8 models, with any steps, conserve every sum bit for bit") {
  conserve<std::int8_t>(2, 100'000, 50, 4);
}

TEST_CASE("with steps of a unit both move to the average, and an odd gap's last unit is a coin's") {
  constexpr std::uint64_t kSeed = 3;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (int round = 0; round < 10'000; ++round) {
    std::vector<std::int16_t> i{static_cast<std::int16_t>(between(random, -32768, 32767))};
    std::vector<std::int16_t> r{static_cast<std::int16_t>(between(random, -32768, 32767))};
    const auto before_i = widened(i);
    const auto before_r = widened(r);
    const Lattice lattice{0, dither_of(random.bits())};
    const Gaps gaps(Values(ConstPoints(before_i), 0), lattice, Values(ConstPoints(before_r), 0), lattice);
    const Rounding rounding{0, coins_of(lattice.dither.first)};
    REQUIRE(move(i, 0, gaps.initiator, Side::initiator, rounding) == 0);
    REQUIRE(move(r, 0, gaps.responder, Side::responder, rounding) == 0);
    REQUIRE(i[0] + r[0] == before_i[0] + before_r[0]);
    REQUIRE(std::abs(i[0] - r[0]) == ((before_i[0] + before_r[0]) & 1));
  }
}

TEST_CASE("what both move by is unbiased, whatever the steps, down to far below the unit") {
  constexpr std::uint64_t kSeed = 4;
  constexpr int kSamples = 200'000;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (const int exponent_i : {-3, 0, 4}) {
    for (const int exponent_r : {-1, 0, 6}) {
      CAPTURE(exponent_i);
      CAPTURE(exponent_r);
      double sum = 0;
      double squares = 0;
      for (int k = 0; k < kSamples; ++k) {
        const std::vector<std::int32_t> i{between(random, -1000, 1000)};
        const std::vector<std::int32_t> r{between(random, -1000, 1000)};
        const std::uint32_t offset = random.bits();
        const Gaps gaps(Values(ConstPoints(i), 0), {exponent_i, dither_of(offset)}, Values(ConstPoints(r), 0),
                        {exponent_r, dither_of(offset)});
        std::vector<std::int16_t> x{0};
        move(x, 0, gaps.initiator, Side::initiator, {0, coins_of(offset)});
        const double error = x[0] - 0.5 * (r[0] - i[0]);
        sum += error;
        squares += error * error;
      }
      CHECK(std::fabs(sum / kSamples) < 5 * std::sqrt(squares) / kSamples);
    }
  }
}

TEST_CASE("models of different units conserve the sum of what they stand for, a float to its rounding") {
  constexpr std::uint64_t kSeed = 5;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (int round = 0; round < 20'000; ++round) {
    CAPTURE(round);
    const int fraction = between(random, 4, 12);
    const int other = fraction - between(random, 0, 3);  // coarser
    const std::size_t length = 1 + random.below(round % 64 == 0 ? 300 : 8);
    std::vector<float> floats(length);
    std::vector<std::int16_t> integers(length);
    std::vector<std::int16_t> coarse(length);
    for (std::size_t k = 0; k < length; ++k) {
      integers[k] = static_cast<std::int16_t>(between(random, -8000, 8000));
      coarse[k] =
          static_cast<std::int16_t>(integers[k] / (1 << (fraction - other)) + between(random, -50, 50));
      floats[k] = std::ldexp(static_cast<float>(integers[k]) + 30 * random.normal(), -fraction);
    }
    const std::uint32_t offset = random.bits();
    const auto sum = [&](std::size_t k, const auto& a, int fraction_a, const auto& b, int fraction_b) {
      return std::ldexp(static_cast<double>(a[k]), -fraction_a) +
             std::ldexp(static_cast<double>(b[k]), -fraction_b);
    };
    const Lattice fine{between(random, 0, 4) - fraction, dither_of(offset)};
    const Lattice finer_than_unit{between(random, -4, 4) - fraction, dither_of(offset)};
    {
      const auto y = widened(integers);
      const auto before_floats = floats;
      const auto before = integers;
      const Gaps gaps(Values(ConstParams(floats)), finer_than_unit, Values(ConstPoints(y), fraction), fine);
      REQUIRE(gaps.initiators == gaps.responders);
      const Rounding rounding{fraction, coins_of(offset)};
      move(floats, gaps.initiator, Side::initiator, rounding);
      REQUIRE(move(integers, fraction, gaps.responder, Side::responder, rounding) == 0);
      for (std::size_t k = 0; k < length; ++k) {
        const double error =
            sum(k, floats, 0, integers, fraction) - sum(k, before_floats, 0, before, fraction);
        REQUIRE(std::fabs(error) <= std::ldexp(1.0, -fraction - 8));  // 24 bits of less than 2^13 units
      }
    }
    {
      const auto yi = widened(integers);
      const auto yc = widened(coarse);
      const auto before_i = integers;
      const auto before_c = coarse;
      const Gaps gaps(Values(ConstPoints(yi), fraction), fine, Values(ConstPoints(yc), other),
                      finer_than_unit);
      const Rounding rounding{other, coins_of(offset)};
      REQUIRE(move(integers, fraction, gaps.initiator, Side::initiator, rounding) == 0);
      REQUIRE(move(coarse, other, gaps.responder, Side::responder, rounding) == 0);
      for (std::size_t k = 0; k < length; ++k)
        REQUIRE(sum(k, integers, fraction, coarse, other) == sum(k, before_i, fraction, before_c, other));
    }
  }
}

TEST_CASE("two float models move by half of the gap of their points, to rounding") {
  constexpr std::uint64_t kSeed = 6;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (std::size_t length = 0; length < 300; ++length) {
    std::vector<float> i(length);
    std::vector<float> r(length);
    for (std::size_t k = 0; k < length; ++k) r[k] = 0.01F * random.normal() + (i[k] = random.normal());
    const std::uint32_t offset = random.bits();
    const Lattice lattice_i{-9, dither_of(offset)};
    const Lattice lattice_r{-9 + static_cast<int>(random.below(3)), dither_of(offset)};
    const auto qi = points_of(Values(ConstParams(i)), lattice_i);
    const auto qr = points_of(Values(ConstParams(r)), lattice_r);
    const Gaps gaps(Values(ConstParams(i)), lattice_i, Values(ConstParams(r)), lattice_r);
    REQUIRE(gaps.initiators == gaps.responders);
    auto moved_i = i;
    auto moved_r = r;
    move(Params(moved_i), gaps.initiator, Side::initiator);
    move(Params(moved_r), gaps.responder, Side::responder);
    for (std::size_t k = 0; k < length; ++k) {
      const float half = 0.5F * (std::ldexp(static_cast<float>(qr[k]), lattice_r.exponent) -
                                 std::ldexp(static_cast<float>(qi[k]), lattice_i.exponent));
      REQUIRE(moved_i[k] == i[k] + half);
      REQUIRE(moved_r[k] == r[k] - half);
    }
  }
}

TEST_CASE("a model at the end of its type's range stays there, and says how often") {
  std::vector<std::int32_t> gap{2000, -2000, 10, std::numeric_limits<std::int32_t>::max(),
                                -std::numeric_limits<std::int32_t>::max()};
  std::vector<std::int16_t> x{32'000, -32'000, 5, 0, 0};
  CHECK(move(x, 0, {gap, 0}, Side::initiator, {0, coins_of(1)}) == 4);
  CHECK(x == std::vector<std::int16_t>{32767, -32768, 10, 32767, -32768});
  std::vector<std::int8_t> y{120, -120, 5, 0, 0};
  CHECK(move(y, 0, {gap, 0}, Side::responder, {0, coins_of(1)}) == 4);
  CHECK(y == std::vector<std::int8_t>{-128, 127, 0, -128, 127});
  for (const int fraction : {0, 5, 20, 31, 200}) {  // a unit's share of a coarser one
    std::vector<std::int8_t> z(5, 0);
    CHECK(move(z, fraction, {gap, 0}, Side::initiator, {0, coins_of(1)}) >= 4);
    CHECK(z[3] == 127);
    CHECK(z[4] == -128);
  }
}

TEST_CASE("gaps saturate alike on both sides, and no exponent is undefined") {
  const std::vector<std::int32_t> far{std::numeric_limits<std::int32_t>::max()};
  const std::vector<std::int32_t> near{std::numeric_limits<std::int32_t>::min()};
  for (const int a : {-200, -120, -30, 0, 1, 30, 120, 200}) {
    for (const int b : {-200, -31, 0, 31, 200}) {
      const Gaps gaps(Values(ConstPoints(near), 0), {a, {}}, Values(ConstPoints(far), 0), {b, {}});
      REQUIRE(gaps.initiators == gaps.responders);
      std::vector<float> x{0};
      move(Params(x), gaps.initiator, Side::initiator);
      move(Params(x), gaps.initiator, Side::initiator, {a, {}});
      std::vector<std::int16_t> y{0};
      move(y, a, gaps.initiator, Side::initiator, {std::min(a, b), {}});
    }
  }
}

TEST_CASE("a model that is taken over is the points'") {
  Random random(7, Purpose::user);
  for (std::size_t length = 0; length < 300; length += 13) {
    std::vector<std::int32_t> points(length);
    for (std::int32_t& point : points) point = between(random, -1000, 1000);
    std::vector<float> x(length, 5);
    adopt(x, points, -7);
    for (std::size_t k = 0; k < length; ++k) REQUIRE(x[k] == std::ldexp(static_cast<float>(points[k]), -7));
    std::vector<std::int16_t> same(length, 5);
    REQUIRE(adopt(same, 10, points, -7, coins_of(3)) == 0);
    for (std::size_t k = 0; k < length; ++k) REQUIRE(same[k] == 8 * points[k]);
    std::vector<std::int16_t> coarser(length, 5);
    REQUIRE(adopt(coarser, 5, points, -7, coins_of(3)) == 0);
    for (std::size_t k = 0; k < length; ++k) REQUIRE(std::abs(4 * coarser[k] - points[k]) < 4);
    std::vector<std::int8_t> bytes(length, 5);
    const auto outside =
        std::count_if(points.begin(), points.end(), [](int p) { return p < -128 || p > 127; });
    REQUIRE(adopt(bytes, 7, points, -7, coins_of(3)) == static_cast<std::size_t>(outside));
    for (std::size_t k = 0; k < length; ++k) REQUIRE(bytes[k] == std::clamp(points[k], -128, 127));
  }
}

// Of all sizes, the largest and the least there are too; and as many as fill slices, or begin one.
std::vector<std::int32_t> integers_of(Random& random, std::size_t length) {
  std::vector<std::int32_t> values(length);
  for (std::int32_t& value : values) value = static_cast<std::int32_t>(random.bits()) >> random.below(32);
  if (length > 1) {
    values[0] = std::numeric_limits<std::int32_t>::min();
    values[length - 1] = std::numeric_limits<std::int32_t>::max();
  }
  return values;
}
constexpr std::size_t kLengths[] = {0, 1, 127, 128, 300};

// Bits of the largest.
int width(const std::vector<std::int32_t>& points) {
  std::int64_t most = 0;
  for (const std::int32_t point : points) most = std::max(most, std::abs(std::int64_t{point}));
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(most)));
}

// theirs - mine by its definition: in the finer of both steps in which the coarser points have 30 bits, to the nearest.
void check_difference(Values mine, Lattice lattice, const std::vector<std::int32_t>& theirs,
                      int their_exponent) {
  const std::vector<std::int32_t> points = points_of(mine, lattice);
  const auto [finer, coarser] = std::minmax({lattice.exponent, their_exponent});
  const int room = std::max(0, 30 - width(lattice.exponent > their_exponent ? points : theirs));
  const int exponent = std::max(finer, coarser - room);
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  const auto in_steps = [exponent](std::int32_t point, int of) {
    return static_cast<std::int64_t>(std::floor(std::ldexp(static_cast<double>(point), of - exponent) + 0.5));
  };
  for (const Side side : {Side::initiator, Side::responder}) {
    std::vector<std::int32_t> memory = theirs;
    const Gap gap = difference(side, mine, lattice, memory, their_exponent);
    REQUIRE(gap.exponent == exponent);
    for (std::size_t k = 0; k < theirs.size(); ++k) {
      const std::int64_t exact = in_steps(theirs[k], their_exponent) - in_steps(points[k], lattice.exponent);
      const std::int64_t kept = std::clamp(exact, -kMost, kMost);
      REQUIRE(gap.values[k] == (side == Side::initiator ? kept : -kept));
    }
  }
}

TEST_CASE("a gap is what its definition says, whatever kind of values and steps it is made from") {
  Random random(8, Purpose::user);
  for (const std::size_t length : kLengths) {
    std::vector<float> floats(length);
    for (float& value : floats) value = std::ldexp(random.normal(), between(random, -30, 60));
    const std::vector<std::int32_t> integers = integers_of(random, length);
    std::vector<std::int32_t> theirs = integers_of(random, length);
    for (std::int32_t& point : theirs) point = std::clamp(point, -kFurthest, kFurthest);
    const std::vector<std::int32_t> few(length, 5);
    for (const int exponent : {-120, -9, 0, 1, 9}) {
      for (const int their_exponent : {-50, -9, 0, 5}) {
        const Lattice lattice{exponent, dither_of(random.bits())};
        check_difference(Values(ConstParams(floats)), lattice, theirs, their_exponent);
        check_difference(Values(ConstPoints(integers), 0), lattice, theirs, their_exponent);
        check_difference(Values(ConstPoints(few), 0), lattice, theirs, their_exponent);
        check_difference(Values(ConstParams(floats)), lattice, few, their_exponent);
      }
    }
  }
}

// What `round` and the coins make of integers in units of 2^exponent.
std::int64_t in_units(std::int32_t value, int exponent, Rounding rounding, std::size_t k) {
  return popsgd::test::point_by_definition(std::int64_t{value}, -rounding.fraction - exponent,
                                           rounding.coins.at(k));
}

template <typename Integer>
void check_integers(Random& random, std::size_t length, int exponent, Rounding rounding) {
  constexpr std::int64_t kLeast = std::numeric_limits<Integer>::min();
  constexpr std::int64_t kMost = std::numeric_limits<Integer>::max();
  std::vector<std::int32_t> values = integers_of(random, length);
  std::vector<Integer> before(length);
  for (Integer& x : before) x = static_cast<Integer>(random.bits());
  const auto nearest = [&](std::int64_t exact, std::uint64_t& saturated) {
    const std::int64_t kept = std::clamp(exact, kLeast, kMost);
    saturated += kept != exact ? 1U : 0U;
    return static_cast<Integer>(kept);
  };
  for (const int finer : {0, 3}) {  // than the rounding: how much the model's own unit is
    for (const Side side : {Side::initiator, Side::responder}) {
      std::vector<Integer> moved = before;
      const auto count = move(moved, rounding.fraction + finer, {values, exponent + 1}, side, rounding);
      std::uint64_t saturated = 0;
      for (std::size_t k = 0; k < length; ++k) {
        const std::int64_t step = in_units(values[k], exponent, rounding, k) * (1 << finer);
        REQUIRE(moved[k] == nearest(before[k] + (side == Side::initiator ? step : -step), saturated));
      }
      REQUIRE(count == saturated);
    }
  }
  std::vector<Integer> taken = before;
  const auto count = adopt(taken, rounding.fraction, values, exponent, rounding.coins);
  std::uint64_t saturated = 0;
  for (std::size_t k = 0; k < length; ++k)
    REQUIRE(taken[k] == nearest(in_units(values[k], exponent, rounding, k), saturated));
  REQUIRE(count == saturated);
}

TEST_CASE(
    "models of every kind move and are taken over as the definition says, up to the ends of their types") {
  Random random(9, Purpose::user);
  for (const std::size_t length : kLengths) {
    for (const int shift : {-40, -31, -3, -1, 0, 1, 20, 31, 40}) {  // of units against the gap's, up and down
      CAPTURE(length);
      CAPTURE(shift);
      const int fraction = between(random, -5, 12);
      const int exponent = shift - fraction;
      const Rounding rounding{fraction, coins_of(random.bits())};
      check_integers<std::int16_t>(random, length, exponent, rounding);
      check_integers<std::int8_t>(random, length, exponent, rounding);
      const std::vector<std::int32_t> before = integers_of(random, length);
      for (const Side side : {Side::initiator, Side::responder}) {
        std::vector<std::int32_t> values = before;
        std::vector<float> x(length);
        move(Params(x), {values, exponent + 1}, side, rounding);
        for (std::size_t k = 0; k < length; ++k) {
          const auto step =
              std::ldexp(static_cast<float>(in_units(values[k], exponent, rounding, k)), -fraction);
          REQUIRE(x[k] == (side == Side::initiator ? step : -step));
        }
      }
    }
  }
}

TEST_CASE("what no float is multiplied by, it is not: a step out of range is the last within") {
  std::vector<std::int32_t> one{1};
  std::vector<float> x{0};
  adopt(x, one, 1000);
  CHECK(x[0] == 0x1p127F);
  adopt(x, one, -1000);
  CHECK(x[0] == 0x1p-126F);
  x[0] = 0;
  move(Params(x), {one, 1000}, Side::initiator);
  CHECK(x[0] == 0x1p127F);
  x[0] = 0;
  move(Params(x), {one, -1000}, Side::responder);
  CHECK(x[0] == -0x1p-126F);
}

}  // namespace
