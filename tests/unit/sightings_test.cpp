#include "exchange/sightings.h"

#include <popsgd/guard.h>
#include <popsgd/random.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Purpose;
using popsgd::Random;
using popsgd::Sightings;
using popsgd::sketch;
using popsgd::Sketch;

constexpr std::uint64_t kSeed = 29;
constexpr std::uint32_t kSigns = 12345;

std::vector<float> normals(std::size_t count, Random& random) {
  std::vector<float> values(count);
  for (float& value : values) value = random.normal();
  return values;
}

double squared_distance(const Sketch& a, const Sketch& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += std::pow(static_cast<double>(a[k] - b[k]), 2);
  return sum;
}

// Of two normal models each of the four sums is normal: the mean of M squares has the relative error sqrt(2 / 4 M).
TEST_CASE("over the signs the squared distance of two sketches is on average that of the models") {
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  constexpr int kSignings = 4000;
  for (const std::size_t length : {1UL, 3UL, 64UL, 501UL}) {
    CAPTURE(length);
    const std::vector<float> a = normals(length, random);
    const std::vector<float> b = normals(length, random);
    double mean = 0;
    for (int k = 0; k < kSignings; ++k) {
      const std::uint32_t signs = random.bits() | 1U;
      mean += squared_distance(sketch(a, signs), sketch(b, signs)) / kSignings;
    }
    const double exact =
        std::pow(static_cast<double>(popsgd::rms_distance(a, b)), 2) * static_cast<double>(length);
    CHECK(mean == doctest::Approx(exact).epsilon(5 * std::sqrt(0.5 / kSignings)));
  }
}

TEST_CASE(
    "a partner that is met for the third time at the same place stands still, however many others came "
    "between") {
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  constexpr std::size_t kLength = 1000;
  const Sketch frozen = sketch(normals(kLength, random), kSigns);
  Sightings sightings;
  int met = 0;
  for (int k = 0; k < 300; ++k) {
    if (k % 5 == 0) {  // as one partner in five
      const bool still = sightings.stands_still(0, frozen, kLength, 1.4F);
      CHECK(still == (met >= 2));
      if (!still) sightings.remember(0, frozen);
      ++met;
    } else {
      const Sketch honest = sketch(normals(kLength, random), kSigns);
      REQUIRE_FALSE(sightings.stands_still(0, honest, kLength, 1.4F));
      sightings.remember(0, honest);
    }
  }
}

TEST_CASE("who moves by a tenth of the distance between partners is not taken for one that stands still") {
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  constexpr std::size_t kLength = 1000;
  std::vector<float> model = normals(kLength, random);
  Sightings sightings;
  int refused = 0;
  for (int k = 0; k < 1000; ++k) {
    const Sketch there = sketch(model, kSigns);
    if (sightings.stands_still(0, there, kLength, 1)) ++refused;
    sightings.remember(0, there);
    for (float& x : model) x += 0.1F * random.normal();
  }
  // Four normal sums below half their deviation: P(chi^2_4 < 1) = 9%, three times in a row less than one in a hundred.
  CHECK(refused < 60);
}

TEST_CASE("blocks at different offsets are different places; without a distance nobody stands still") {
  Sightings sightings;
  const Sketch there{1, 2, 3, 4};
  for (std::uint32_t k = 0; k < 3; ++k) {
    CHECK_FALSE(sightings.stands_still(64 * k, there, 64, 1));
    sightings.remember(64 * k, there);
  }
  for (int k = 0; k < 5; ++k) CHECK_FALSE(sightings.stands_still(0, there, 64, 0));
  CHECK_FALSE(sightings.stands_still(0, there, 64, 1));
  CHECK(sightings.stands_still(0, there, 64, 1));
}

}  // namespace
