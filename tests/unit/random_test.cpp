#include "statistics.h"

#include <popsgd/random.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <set>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Purpose;
using popsgd::Random;
using popsgd::Threefry;
using popsgd::test::chi_square_deviate;
using popsgd::test::kFiveSigma;
using Words = std::array<std::uint32_t, 2>;

constexpr std::uint64_t kSeed = 20240607;

TEST_CASE("Threefry-2x32-20 gives the answers published with Random123") {
  static_assert(Threefry{0, 0}.block(0, 0) == Words{0x6b200159, 0x99ba4efe});
  CHECK(Threefry{0, 0}.block(0, 0) == Words{0x6b200159, 0x99ba4efe});
  CHECK(Threefry{0xffffffff, 0xffffffff}.block(0xffffffff, 0xffffffff) == Words{0x1cb996fc, 0xbb002be7});
  CHECK(Threefry{0x13198a2e, 0x03707344}.block(0x243f6a88, 0x85a308d3) == Words{0xc4923a9c, 0x483df7a0});
}

TEST_CASE("a stream is the blocks of its key in order") {
  const Threefry key = Random::key(kSeed, Purpose::shards, 3);
  Random random(kSeed, Purpose::shards, 3);
  for (std::uint32_t block = 0; block < 10; ++block) {
    const Words words = key.block(block, 0);
    CHECK(random.bits() == words[0]);
    CHECK(random.bits() == words[1]);
  }
}

TEST_CASE("streams of other seeds, purposes and indices are other streams") {
  std::set<std::array<std::uint64_t, 2>> seen;
  std::size_t streams = 0;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32, kSeed}) {
    for (const auto purpose :
         {Purpose::initial_model, Purpose::pairs, Purpose::batches, Purpose::local_steps, Purpose::shards,
          Purpose::topology, Purpose::data, Purpose::split, Purpose::measurement, Purpose::user}) {
      for (std::uint32_t index = 0; index < 10; ++index, ++streams) {
        Random random(seed, purpose, index);
        const std::uint64_t first = random.bits64();
        seen.insert({first, random.bits64()});
      }
    }
  }
  CHECK(seen.size() == streams);
}

TEST_CASE("bits64() is two draws of bits(), the first on top") {
  Random words(kSeed, Purpose::user);
  Random pairs(kSeed, Purpose::user);
  for (int k = 0; k < 100; ++k) {
    const std::uint64_t high = words.bits();
    CHECK(pairs.bits64() == (high << 32 | words.bits()));
  }
}

TEST_CASE("a copy goes on from the same place") {
  for (int drawn = 0; drawn < 5; ++drawn) {  // in the middle of a block and between two
    Random original(kSeed, Purpose::user);
    for (int k = 0; k < drawn; ++k) (void)original.bits();
    Random copy = original;
    for (int k = 0; k < 10; ++k) CHECK(copy.bits() == original.bits());
  }
}

TEST_CASE("below(bound) is uniform over 0 .. bound - 1 (false alarms: 3e-7 a bound)") {
  for (const std::uint32_t bound : {2U, 3U, 6U, 10U, 100U, 257U}) {
    Random random(kSeed, Purpose::user, bound);
    std::vector<std::uint64_t> counts(bound);
    bool inside = true;
    for (std::uint32_t k = 0; k < 1000 * bound; ++k) {
      const std::uint32_t value = random.below(bound);
      inside &= value < bound;
      if (inside) ++counts[value];
    }
    CAPTURE(kSeed);
    CAPTURE(bound);
    REQUIRE(inside);
    CHECK(chi_square_deviate(counts) < kFiveSigma);
  }
}

TEST_CASE("below(bound) redraws what a plain multiplication would favour (false alarms: 6e-7)") {
  // 2^32 words onto 3 * 2^30 values: without redrawing, the residues mod 3 come up as 2 : 1 : 1.
  constexpr std::uint32_t kBound = 3U << 30;
  Random random(kSeed, Purpose::user);
  std::vector<std::uint64_t> residues(3);
  std::vector<std::uint64_t> thirds(3);
  for (int k = 0; k < 30'000; ++k) {
    const std::uint32_t value = random.below(kBound);
    REQUIRE(value < kBound);
    ++residues[value % 3];
    ++thirds[value >> 30];
  }
  CAPTURE(kSeed);
  CHECK(chi_square_deviate(residues) < kFiveSigma);
  CHECK(chi_square_deviate(thirds) < kFiveSigma);
}

TEST_CASE("below() keeps its promise at the ends of the range of bounds") {
  Random random(kSeed, Purpose::user);
  for (int k = 0; k < 1000; ++k) {
    CHECK(random.below(1) == 0);
    CHECK(random.below(0xffffffff) < 0xffffffff);
  }
}

TEST_CASE("uniform() is uniform over the multiples of 2^-24 in [0, 1) (false alarms: 3e-7)") {
  Random random(kSeed, Purpose::user);
  std::vector<std::uint64_t> cells(64);
  bool good = true;
  for (int k = 0; k < 200'000; ++k) {
    const float u = random.uniform();
    const float scaled = u * 0x1p24F;
    good &= u >= 0 && u < 1 && scaled == std::floor(scaled);
    if (good) ++cells[static_cast<std::size_t>(u * 64)];
  }
  CAPTURE(kSeed);
  REQUIRE(good);
  CHECK(chi_square_deviate(cells) < kFiveSigma);
}

TEST_CASE("normal() has the moments and the shape of N(0, 1) (false alarms: 3e-6)") {
  constexpr int kDraws = 400'000;
  Random random(kSeed, Purpose::user);
  std::array<double, 5> moments{};
  std::vector<std::uint64_t> cells(18);
  for (int k = 0; k < kDraws; ++k) {
    const auto z = static_cast<double>(random.normal());
    REQUIRE(std::isfinite(z));
    double power = 1;
    for (double& moment : moments) {
      moment += power / kDraws;
      power *= z;
    }
    ++cells[static_cast<std::size_t>(std::fmin(std::fmax(std::floor(3 * z) + 9, 0), 17))];
  }
  // Probabilities of the cells (-inf, -8/3), [-8/3, -7/3), ... [8/3, inf).
  const auto below = [](double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); };
  std::vector<double> probabilities(cells.size());
  for (std::size_t k = 0; k < cells.size(); ++k) {
    const double left = (static_cast<double>(k) - 9) / 3;
    probabilities[k] = (k == 17 ? 1 : below(left + 1.0 / 3)) - (k == 0 ? 0 : below(left));
  }
  CAPTURE(kSeed);
  CAPTURE(moments);
  // Variances of z, z^2, z^3, z^4: 1, 2, 15, 96.
  const double unit = kFiveSigma / std::sqrt(double{kDraws});
  CHECK(std::fabs(moments[1]) < unit);
  CHECK(std::fabs(moments[2] - 1) < unit * std::sqrt(2.0));
  CHECK(std::fabs(moments[3]) < unit * std::sqrt(15.0));
  CHECK(std::fabs(moments[4] - 3) < unit * std::sqrt(96.0));
  CHECK(chi_square_deviate(cells, probabilities) < kFiveSigma);
}

}  // namespace
