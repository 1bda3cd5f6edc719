#include "lattice.h"

#include <popsgd/lattice/points.h>
#include <popsgd/random.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd::lattice;
using popsgd::ConstParams;
using popsgd::Purpose;
using popsgd::Random;
using popsgd::test::Guarded;
using popsgd::test::point_by_definition;

constexpr std::int32_t kLeast = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST_CASE("the dither is even: of n elements every interval holds its share, to a few") {
  for (const std::uint32_t offset : {0U, 0x12345678U, 0xFFFFFFFFU}) {
    std::array<int, 64> dithers{};
    std::array<int, 64> coins{};
    for (std::size_t k = 0; k < 6400; ++k) {
      ++dithers[dither_of(offset).at(k) >> 26];
      ++coins[coins_of(offset).at(k) >> 26];
    }
    for (const int count : dithers) CHECK(std::abs(count - 100) <= 3);
    for (const int count : coins) CHECK(std::abs(count - 100) <= 6);
  }
  CHECK(dither_of(7).from(5).at(3) == dither_of(7).at(8));
}

TEST_CASE(
    "points of floats are those of the definition, at any length and address, and nothing else is written") {
  constexpr std::uint64_t kSeed = 1;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (std::size_t count = 0; count < 300; ++count) {
    for (std::size_t margin = 1; margin < 4; ++margin) {
      const int exponent = popsgd::test::between(random, -30, 20);
      const Lattice lattice{exponent, dither_of(random.bits())};
      Guarded<float> y(count, margin, 77);
      for (float& value : y.span())
        value = std::ldexp(random.normal(), exponent + popsgd::test::between(random, -33, 33));
      Guarded<std::int32_t> points(count, margin, 77);
      quantise(Values(ConstParams(y.span())), lattice, points.span());
      REQUIRE(points.intact());
      for (std::size_t k = 0; k < count; ++k) {
        CAPTURE(y.span()[k]);
        REQUIRE(points.span()[k] == point_by_definition(y.span()[k], exponent, lattice.dither.at(k)));
      }
    }
  }
}

TEST_CASE("points of integers are those of the definition, for every shift, at any length and address") {
  constexpr std::uint64_t kSeed = 2;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (int shift = -40; shift <= 40; ++shift) {
    for (std::size_t count = 0; count < 300; count += 1 + random.below(5)) {
      const int fraction = popsgd::test::between(random, -10, 30);
      const Lattice lattice{shift - fraction, dither_of(random.bits())};
      const std::size_t margin = 1 + random.below(3);
      Guarded<std::int32_t> y(count, margin, 77);
      for (std::int32_t& value : y.span())
        value = static_cast<std::int32_t>(random.bits()) >> random.below(32);
      if (count > 2) y.span()[0] = kLeast, y.span()[1] = kMost;
      Guarded<std::int32_t> points(count, margin, 77);
      quantise(Values(ConstPoints(y.span()), fraction), lattice, points.span());
      REQUIRE(points.intact());
      for (std::size_t k = 0; k < count; ++k) {
        CAPTURE(shift);
        CAPTURE(y.span()[k]);
        REQUIRE(points.span()[k] ==
                point_by_definition(std::int64_t{y.span()[k]}, shift, lattice.dither.at(k)));
      }
    }
  }
}

TEST_CASE("floats and integers of the same values have the same points") {
  constexpr std::uint64_t kSeed = 3;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  std::vector<std::int32_t> integers(257);
  std::vector<float> floats(integers.size());
  std::vector<std::int32_t> points(integers.size());
  std::vector<std::int32_t> same(integers.size());
  for (int round = 0; round < 2000; ++round) {
    const int fraction = popsgd::test::between(random, 0, 15);
    for (std::size_t k = 0; k < integers.size(); ++k) {
      integers[k] = popsgd::test::between(random, -32768, 32767);
      floats[k] = std::ldexp(static_cast<float>(integers[k]), -fraction);
    }
    const Lattice lattice{popsgd::test::between(random, -20, 14), dither_of(random.bits())};
    quantise(Values(ConstPoints(integers), fraction), lattice, points);
    quantise(Values(ConstParams(floats)), lattice, same);
    REQUIRE(points == same);
  }
}

TEST_CASE("what is too far, infinite or no number at all is the furthest point, and nothing is undefined") {
  const std::vector<float> floats{1e38F, -1e38F, kInfinity, -kInfinity, kNan, -kNan, 0.0F, -0.0F, 1e-44F};
  for (const int exponent : {-1000, -127, -120, -10}) {
    std::vector<std::int32_t> points(floats.size());
    quantise(Values(ConstParams(floats)), {exponent, {}}, points);
    CHECK(points[0] == kFurthest);
    CHECK(points[1] == -kFurthest);
    CHECK(points[2] == kFurthest);
    CHECK(points[3] == -kFurthest);
    CHECK(points[4] == kFurthest);
    CHECK(points[5] == -kFurthest);
    CHECK(points[6] == 0);
    CHECK(points[7] == 0);
    CHECK(points[8] == 0);
  }
  std::vector<std::int32_t> points(floats.size());
  quantise(Values(ConstParams(floats)), {1000, dither_of(0xFFFFFFFFU)}, points);
  CHECK(points[2] == kFurthest);
  CHECK(points[0] >= 0);
  CHECK(points[0] <= 512);  // 1e38 in steps of 2^120
}

struct Moments {
  double mean = 0;
  double variance = 0;
};

template <typename Sample>
Moments moments(int samples, Sample sample) {
  double sum = 0;
  double squares = 0;
  for (int k = 0; k < samples; ++k) {
    const double x = sample();
    sum += x;
    squares += x * x;
  }
  const double mean = sum / samples;
  return {mean, squares / samples - mean * mean};
}

TEST_CASE("points are unbiased, and their differences have the variance of s^2 / 12 for each of two models") {
  constexpr std::uint64_t kSeed = 4;
  constexpr int kSamples = 400'000;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (const bool integer : {false, true}) {
    for (const std::size_t k : {std::size_t{0}, std::size_t{1}, std::size_t{200}}) {
      CAPTURE(integer);
      CAPTURE(k);
      std::vector<float> floats(k + 1);
      std::vector<std::int32_t> integers(k + 1);
      const auto point = [&](double y, std::uint32_t offset) {
        std::vector<std::int32_t> points(k + 1);
        floats[k] = static_cast<float>(y);
        integers[k] = static_cast<std::int32_t>(y);
        quantise(integer ? Values(ConstPoints(integers), 0) : Values(ConstParams(floats)),
                 {8, dither_of(offset)}, points);
        return points[k] * 256.0;
      };
      const auto value = [&] { return std::round(8000 * static_cast<double>(random.normal())); };
      const Moments one = moments(kSamples / (k > 1 ? 10 : 1), [&] {
        const double y = value();
        return (point(y, random.bits()) - y) / 256;
      });
      CHECK(std::fabs(one.mean) < 5 * std::sqrt(1.0 / 6 / kSamples * (k > 1 ? 10 : 1)));
      if (k > 1) continue;
      const Moments both = moments(kSamples, [&] {
        const std::uint32_t offset = random.bits();
        const double a = value();
        const double b = value();
        return (point(b, offset) - point(a, offset) - (b - a)) / 256;
      });
      CHECK(std::fabs(both.mean) < 5 * std::sqrt(1.0 / 6 / kSamples));
      CHECK(both.variance / 2 == doctest::Approx(1.0 / 12).epsilon(0.02));
    }
  }
}

TEST_CASE(
    "a difference far below a step is hardly noisy: its variance is f (1 - f), and none where models agree") {
  constexpr std::uint64_t kSeed = 5;
  constexpr int kSamples = 200'000;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (const float gap : {0.0F, 0.0625F, 0.5F}) {
    const Moments both = moments(kSamples, [&] {
      const float y = static_cast<float>(random.below(1 << 20)) * 0x1p-10F;
      const std::array<float, 2> values{y, y + gap};
      std::array<std::int32_t, 2> points{};
      const Lattice lattice{0, dither_of(random.bits())};
      quantise(Values(ConstParams(values).first(1)), lattice, Points(points).first(1));
      quantise(Values(ConstParams(values).last(1)), lattice, Points(points).last(1));
      return static_cast<double>(points[1] - points[0]);
    });
    CHECK(both.mean == doctest::Approx(static_cast<double>(gap)).epsilon(0.02));
    CHECK(both.variance == doctest::Approx(static_cast<double>(gap * (1 - gap))).epsilon(0.02));
  }
}

TEST_CASE("the finest step keeps the largest float's last place, and no point is far") {
  const std::vector<std::int32_t> integers{5};
  CHECK(finest_exponent(Values(ConstPoints(integers), 12)) == -12);
  const std::vector<float> zeros{0.0F, -0.0F};
  CHECK(finest_exponent(Values(ConstParams(zeros))) == -kMostExponent);
  const std::vector<float> ones{-1.0F, 0.25F};
  CHECK(finest_exponent(Values(ConstParams(ones))) == -23);
  const std::vector<float> wild{kNan, kInfinity};
  CHECK(finest_exponent(Values(ConstParams(wild))) == 104);
  Random random(6, Purpose::user);
  for (int round = 0; round < 1000; ++round) {
    const std::vector<float> y{std::ldexp(random.normal(), popsgd::test::between(random, -90, 120))};
    std::vector<std::int32_t> points(1);
    const int exponent = finest_exponent(Values(ConstParams(y)));
    quantise(Values(ConstParams(y)), {exponent, dither_of(random.bits())}, points);
    REQUIRE(std::ldexp(static_cast<float>(points[0]), exponent) == y[0]);
    REQUIRE(std::abs(points[0]) < 1 << 24);
  }
}

}  // namespace
