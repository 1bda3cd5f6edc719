#include <popsgd/guard.h>
#include <popsgd/random.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::examine;
using popsgd::Gate;
using popsgd::Purpose;
using popsgd::Random;
using popsgd::Refusal;
using popsgd::rms_distance;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::uint64_t kSeed = 11;

TEST_CASE("one parameter that is not finite or too large is found, wherever it is") {
  for (const std::size_t length : {1UL, 2UL, 15UL, 64UL, 131UL}) {
    for (std::size_t place = 0; place < length; ++place) {
      CAPTURE(length);
      CAPTURE(place);
      std::vector<float> block(length, -2);
      CHECK(examine(block, 2) == Refusal::none);
      for (const auto& [value, refusal] : {std::pair{kNan, Refusal::not_finite},
                                           {-kNan, Refusal::not_finite},
                                           {kInfinity, Refusal::not_finite},
                                           {-kInfinity, Refusal::not_finite},
                                           {2.0001F, Refusal::out_of_range},
                                           {-1e30F, Refusal::out_of_range}}) {
        block[place] = value;
        CHECK(examine(block, 2) == refusal);
      }
    }
  }
  CHECK(examine({}, 1) == Refusal::none);
}

TEST_CASE("the distance is the root of the mean squared difference") {
  CHECK(rms_distance(std::vector<float>{1, 2, 3, 4}, std::vector<float>{1, 2, 3, 8}) == 2);
  CHECK(rms_distance(std::vector<float>(1000, 1), std::vector<float>(1000, -2)) == 3);
  CHECK(rms_distance({}, {}) == 0);
  CHECK(rms_distance(std::vector<float>{3e38F}, std::vector<float>{-3e38F}) == kInfinity);  // beyond a float
}

TEST_CASE("bytes that never were a gate are told from one") {
  using Bytes = std::array<std::uint16_t, sizeof(Gate) / 2>;
  Gate gate;
  gate.remember(3, 0, 0);
  CHECK(gate.sound());
  for (const float never : {-1.0F, -0.0F, kInfinity, kNan}) {
    auto bytes = std::bit_cast<Bytes>(gate);
    bytes[14] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(never) >> 16);
    CHECK_FALSE(std::bit_cast<Gate>(bytes).sound());
  }
}

TEST_CASE(
    "before the first partner the gate admits up to twice the last local update, or all if there was none") {
  Gate gate;
  CHECK(gate.radius(0.25F, 0) == 0.5F);
  CHECK_FALSE(gate.admit(0.51F, 0.25F, 0));
  CHECK(Gate().admit(0.5F, 0.25F, 0));
  CHECK(Gate().admit(1e30F, 0, 0));
}

TEST_CASE("the median is that of the distances it remembers, and 0 before the first") {
  Gate gate;
  CHECK(gate.median() == 0);
  gate.remember(3, 0, 0);
  CHECK(gate.median() == 3);
  gate.remember(1, 0, 0);
  CHECK(gate.median() == 2);
}

TEST_CASE("who has met only equals and never learned knows no scale, and admits anybody") {
  Gate gate;
  for (int k = 0; k < 20; ++k) REQUIRE(gate.admit(0, 0, 0));
  CHECK(gate.admit(5, 0, 0));
}

// The radius by the words of the header, from exact distances.
float radius_by_definition(std::vector<float> seen, unsigned refusals, float last_update) {
  float radius = 2 * last_update;
  if (!seen.empty()) {
    std::vector<float> last(seen.end() - static_cast<std::ptrdiff_t>(std::min<std::size_t>(15, seen.size())),
                            seen.end());
    std::sort(last.begin(), last.end());
    radius = std::max(radius, 1.7F * (last[(last.size() - 1) / 2] + last[last.size() / 2]) / 2);
  }
  return radius * std::pow(1.5F, static_cast<float>(std::max(refusals, 1U) - 1));
}

TEST_CASE(
    "the radius is 1.7 medians of the last 15 bounded distances or 2 local updates, and grows with each "
    "refusal in a row but the first") {
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (int run = 0; run < 20; ++run) {
    Gate gate;
    std::vector<float> seen;
    unsigned refusals = 0;
    for (int k = 0; k < 200; ++k) {
      const float distance = std::exp(random.normal()) * (random.uniform() < 0.2F ? 20.0F : 1.0F);
      const float update = 0.6F * random.uniform();
      const float radius = gate.radius(update, refusals);
      CAPTURE(run);
      CAPTURE(k);
      REQUIRE(radius == doctest::Approx(radius_by_definition(seen, refusals, update)).epsilon(0.005));
      const bool admitted = gate.admit(distance, update, refusals);
      REQUIRE(admitted == (distance <= radius));
      refusals = admitted ? 0 : refusals + 1;
      seen.push_back(std::min(distance, radius));
    }
  }
}

TEST_CASE(
    "nobody is shut out for long: a partner at any distance is admitted after a logarithmic number of "
    "refusals") {
  Gate gate;
  for (int k = 0; k < 15; ++k) REQUIRE(gate.admit(1, 1, 0));
  unsigned refusals = 0;
  while (!gate.admit(1000, 0.1F, refusals)) ++refusals;
  CHECK(refusals > 3);
  CHECK(refusals <= 18);  // 1.5^17 > 1000 / 1.7, after the first
}

TEST_CASE("distant peers among many do not move the radius by more than the factor of 1.7") {
  Gate gate;
  for (int k = 0; k < 15; ++k) REQUIRE(gate.admit(1, 1, 0));
  int admitted = 0;
  unsigned refusals = 0;
  for (int k = 0; k < 3000; ++k) {
    const bool hostile = k % 10 < 3;
    const bool ok = gate.admit(hostile ? 50.0F : 1.0F, 0.1F, refusals);
    refusals = ok ? 0 : refusals + 1;
    if (ok && hostile) ++admitted;
  }
  CHECK(admitted == 0);
  CHECK(gate.radius(0.1F, 0) == 1.7F);
}

TEST_CASE("agents that begin with equal models admit each other when they have learned") {
  Gate learning;
  for (int k = 0; k < 20; ++k) REQUIRE(learning.admit(0, 1, 0));  // snapshots from before the first steps
  CHECK(learning.admit(1.7F, 1, 0));
  CHECK_FALSE(learning.admit(50, 1, 0));
}

TEST_CASE("a refusal without end neither overflows nor stops admitting what is near") {
  Gate gate;
  REQUIRE(gate.admit(1, 1, 0));
  for (unsigned k = 0; k < 1000; ++k)
    static_cast<void>(gate.admit(std::numeric_limits<float>::max(), 1, std::min(k, 255U)));
  CHECK(std::isfinite(gate.radius(1, 255)));
  CHECK(gate.admit(1, 1, 255));
  for (int k = 0; k < 3; ++k) CHECK_FALSE(gate.admit(kNan, 1, 255));
  CHECK(std::isfinite(gate.radius(1, 255)));
}

}  // namespace
