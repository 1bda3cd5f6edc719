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

TEST_CASE("a partner that is met for the third time at the same place stands still, whoever came between") {
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  constexpr std::size_t kLength = 1000;
  const std::vector<float> frozen = normals(kLength, random);
  Sightings sightings(kSigns);
  int met = 0;
  for (int k = 0; k < 300; ++k) {
    const bool honest = k % 5 != 0;
    const bool still = sightings.stands_still(0, honest ? normals(kLength, random) : frozen, 1.4F);
    CHECK(still == (!honest && met >= 2));
    if (!still) sightings.remember();
    if (!honest) ++met;
  }
}

TEST_CASE("who moves by a tenth of the distance between partners is seldom taken for one that stands still") {
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  std::vector<float> model = normals(1000, random);
  Sightings sightings(kSigns);
  int refused = 0;
  for (int k = 0; k < 1000; ++k) {
    if (sightings.stands_still(0, model, 1)) ++refused;
    sightings.remember();
    for (float& x : model) x += 0.1F * random.normal();
  }
  // Four normal sums within half their deviation: P(chi^2_4 < 1) = 9%, three times in a row less than one in a hundred.
  CHECK(refused < 60);
}

TEST_CASE("neither what was not averaged with, nor other offsets, nor a partner without a distance counts") {
  const std::vector<float> there{1, 2, 3, 4};
  Sightings sightings(kSigns);
  for (int k = 0; k < 5; ++k) {
    CHECK_FALSE(sightings.stands_still(0, there, 1));
    sightings.forget();
    sightings.remember();
  }
  for (std::size_t k = 1; k < 4; ++k) {
    CHECK_FALSE(sightings.stands_still(64 * k, there, 1));
    sightings.remember();
  }
  CHECK_FALSE(sightings.stands_still(0, there, 1));
  sightings.remember();
  for (int k = 0; k < 5; ++k) CHECK_FALSE(sightings.stands_still(0, there, 0));
  CHECK_FALSE(sightings.stands_still(0, there, 1));
  CHECK(sightings.stands_still(0, there, 1));
}

}  // namespace
