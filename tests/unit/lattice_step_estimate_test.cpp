#include "lattice.h"

#include <popsgd/lattice/encoding.h>
#include <popsgd/lattice/step_estimate.h>
#include <popsgd/random.h>

#include <algorithm>
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
using popsgd::test::between;

constexpr int kAny = -kMostExponent;

TEST_CASE("the estimate is max(D, 0.9 est), and the step 1.5 est / (2^(b-1) - 1/2), up to a power of two") {
  constexpr std::uint64_t kSeed = 1;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (int round = 0; round < 200; ++round) {
    StepEstimate estimate;
    double log2_estimate = -1000;
    for (int k = 0; k < 60; ++k) {
      const Distance seen{1 + random.below(1U << (1 + random.below(31))), between(random, -60, 40)};
      estimate.observe(seen);
      log2_estimate = std::max(std::log2(seen.steps) + seen.exponent, log2_estimate + std::log2(0.9));
      REQUIRE(estimate.known());
      // A rounding of the last logarithm seen, and a third of a thousandth for each decay since.
      REQUIRE(std::fabs(estimate.bits() / 256.0 - log2_estimate) < 0.5 / 256 + 61 * 0.09 / 256 + 1e-9);
      for (int bits = kFewestBits; bits <= kMostBits; ++bits) {
        const double exact = estimate.bits() / 256.0 + std::log2(1.5 / (std::ldexp(1.0, bits - 1) - 0.5));
        const int exponent = estimate.exponent(bits, kAny);
        REQUIRE(exponent >= exact - 3.0 / 256);
        REQUIRE(exponent < exact + 1);
        const double tight = exact + std::log2(0.8 / 1.492);
        const int exponent_of_tight = estimate.exponent(bits, kAny, true);
        REQUIRE(exponent_of_tight >= tight - 3.0 / 256);
        REQUIRE(exponent_of_tight < tight + 1 + 1.0 / 256);
      }
    }
  }
}

TEST_CASE(
    "a tight step of 3 bits is halved after exchanges in which the models were two steps apart, but not "
    "soon") {
  StepEstimate estimate;
  estimate.observe({4, 0}, true);
  const int step = estimate.exponent(3, kAny, true);
  CHECK(step == 0);  // 0.8 * 4 / 3.5 = 0.91
  int patience = 0;
  while (estimate.exponent(3, kAny, true) == step && patience < 1000) {
    estimate.observe({2, step}, true);
    ++patience;
  }
  CHECK(estimate.exponent(3, kAny, true) == step - 1);
  CHECK(patience > 100);
  CHECK(patience < 300);
}

TEST_CASE("a distance that makes the step a power of two is not rounded up to the next") {
  for (const int exponent : {-20, 0, 7}) {
    for (int bits = kFewestBits; bits <= kMostBits; ++bits) {
      StepEstimate estimate;
      estimate.observe({(1U << bits) - 1, exponent});  // 3 est / (2^b - 1) = 3 * 2^exponent, rounded up to 4
      CHECK(estimate.exponent(bits, kAny) == exponent + 2);
    }
  }
  StepEstimate estimate;
  estimate.observe({5, 3});  // 1.5 * 5 / 7.5 = 1
  CHECK(estimate.exponent(4, kAny) == 3);
  CHECK(estimate.exponent(4, 6) == 6);
}

TEST_CASE("nothing is known before a distance is seen, and the estimate outlives a checkpoint") {
  StepEstimate estimate;
  CHECK_FALSE(estimate.known());
  estimate.observe({0, 5});
  CHECK_FALSE(estimate.known());
  estimate.observe({3, -4});
  CHECK(estimate.known());
  CHECK(StepEstimate::from_bits(estimate.bits()).exponent(4, kAny) == estimate.exponent(4, kAny));
  for (int k = 0; k < 100'000; ++k) estimate.observe({0, 0});
  CHECK(estimate.known());
  CHECK(estimate.exponent(4, kAny) == kAny);
  CHECK(estimate.exponent(4, -20) == -20);
  estimate.observe({std::numeric_limits<std::uint32_t>::max(), 200});
  CHECK(estimate.exponent(4, kAny) <= kMostExponent);
  CHECK(estimate.exponent(4, kMostExponent + 80) == kMostExponent);  // as fine as it gets is coarse enough
  estimate.widen(4, 200);
  CHECK(estimate.exponent(4, kAny) == kMostExponent);
  StepEstimate least;
  for (int k = 0; k < 2; ++k) least.observe({1, -1000});
  CHECK(least.known());
  CHECK(least.exponent(4, kAny) == kAny);
}

TEST_CASE("after a failure the step is at least four times as large, even where it had been the finest") {
  Random random(2, Purpose::user);
  for (int round = 0; round < 1000; ++round) {
    StepEstimate estimate;
    if (round % 3 != 0) estimate.observe({1 + random.below(1000), between(random, -40, 10)});
    const int bits = between(random, kFewestBits, kMostBits);
    const int used = estimate.exponent(bits, between(random, -30, 0));
    estimate.widen(bits, used);
    if (used <= kMostExponent - 3) REQUIRE(estimate.exponent(bits, kAny) >= used + 2);
    REQUIRE(estimate.exponent(bits, kAny) <= std::max(used + 3, kAny + 3));
  }
}

TEST_CASE("the step that follows from a distance reaches one and a half times as far") {
  constexpr std::uint64_t kSeed = 3;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (int round = 0; round < 5000; ++round) {
    std::vector<float> a(20);
    std::vector<float> b(20);
    const float spread = std::ldexp(1.0F, between(random, -10, 3));
    for (std::size_t k = 0; k < a.size(); ++k) b[k] = (a[k] = random.normal()) + spread * random.normal();
    StepEstimate estimate;
    estimate.observe(furthest_apart(Values(ConstParams(a)), Values(ConstParams(b))));
    for (std::size_t k = 0; k < a.size(); ++k) b[k] = a[k] + 1.3F * (b[k] - a[k]);
    const int bits = between(random, 4, 12);
    const Lattice lattice{estimate.exponent(bits, kAny), dither_of(random.bits())};
    std::vector<std::byte> packed(packed_size(a.size(), bits));
    encode(Values(ConstParams(a)), lattice, bits, packed);
    std::vector<std::int32_t> decoded(a.size());
    decode(packed, Values(ConstParams(b)), lattice, bits, decoded);
    REQUIRE(checksum(decoded) == checksum(Values(ConstParams(a)), lattice));
  }
}

TEST_CASE("furthest_apart() is the largest difference, of floats and of integers") {
  Random random(4, Purpose::user);
  for (int round = 0; round < 2000; ++round) {
    const std::size_t count = random.below(40);
    std::vector<float> a(count);
    std::vector<float> b(count);
    std::vector<std::int32_t> c(count);
    std::vector<std::int32_t> d(count);
    float floats = 0;
    std::int64_t integers = 0;
    for (std::size_t k = 0; k < count; ++k) {
      a[k] = std::ldexp(random.normal(), between(random, -148, 100));
      b[k] = std::ldexp(random.normal(), between(random, -148, 100));
      c[k] = static_cast<std::int32_t>(random.bits());
      d[k] = static_cast<std::int32_t>(random.bits());
      floats = std::max(floats, std::fabs(a[k] - b[k]));
      integers = std::max(integers, std::abs(std::int64_t{c[k]} - d[k]));
    }
    const Distance near = furthest_apart(Values(ConstParams(a)), Values(ConstParams(b)));
    REQUIRE(std::ldexp(static_cast<float>(near.steps), near.exponent) == floats);
    if (count == 0) continue;
    const Distance far = furthest_apart(Values(ConstPoints(c), 9), Values(ConstPoints(d), 9));
    REQUIRE(far.steps == integers);
    REQUIRE(far.exponent == -9);
  }
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> wild{kInfinity, std::numeric_limits<float>::quiet_NaN()};
  const std::vector<float> tame{1, 1};
  const Distance far = furthest_apart(Values(ConstParams(tame)), Values(ConstParams(wild)));
  CHECK(std::ldexp(static_cast<double>(far.steps), far.exponent) == 0x1p128);
}

}  // namespace
