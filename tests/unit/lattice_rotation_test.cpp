#include "lattice.h"

#include <popsgd/lattice/rotation.h>
#include <popsgd/random.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd::lattice;
using popsgd::ConstParams;
using popsgd::Params;
using popsgd::Purpose;
using popsgd::Random;
using popsgd::test::between;
using popsgd::test::Guarded;

// The blocks a slice is cut into.
std::vector<std::size_t> blocks_of(std::size_t count) {
  std::vector<std::size_t> blocks;
  for (std::size_t n = 1024; count > 0; count -= n) {
    while (n > count) n /= 4;
    blocks.push_back(n);
  }
  return blocks;
}

TEST_CASE(
    "the rotation is 32 H / sqrt(n) by its definition, of signs that do not depend on it, block by block") {
  constexpr Signs kSigns{77, 5};
  for (const std::size_t count : {std::size_t{1}, std::size_t{3}, std::size_t{4}, std::size_t{21},
                                  std::size_t{150}, std::size_t{1024}, std::size_t{1400}}) {
    CAPTURE(count);
    Random random(1, Purpose::user);
    std::vector<std::int32_t> y(count);
    for (std::int32_t& value : y) value = between(random, -32768, 32767);
    std::vector<std::int32_t> z = y;
    rotate(Points(z), kSigns);
    std::vector<std::int32_t> again = y;
    rotate(Points(again), {77, 6});
    CHECK((count < 3 || again != z));
    std::size_t at = 0;
    for (const std::size_t n : blocks_of(count)) {
      // H z = 32 sqrt(n) S y: signs apart, the values come back.
      for (std::size_t k = 0; k < n; ++k) {
        std::int64_t sum = 0;
        for (std::size_t j = 0; j < n; ++j) sum += std::popcount(k & j) % 2 == 0 ? z[at + j] : -z[at + j];
        REQUIRE(std::abs(sum) == 32 * std::lround(std::sqrt(n)) * std::abs(y[at + k]));
      }
      at += n;
    }
  }
}

TEST_CASE("a gap rotated there and back is 1024 times what it was, exactly, at every length") {
  constexpr std::uint64_t kSeed = 2;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (std::size_t count = 0; count < 2100; count += count < 300 ? 1 : 61) {
    Guarded<std::int32_t> y(count, 3, 77);
    for (std::int32_t& value : y.span()) value = between(random, -1000, 1000);
    const std::vector<std::int32_t> before(y.span().begin(), y.span().end());
    const Signs signs{random.bits(), random.bits()};
    rotate(Points(y.span()), signs);
    const Gap back = rotate_back({y.span(), 3}, signs);
    REQUIRE(y.intact());
    REQUIRE(back.exponent == -7);
    for (std::size_t k = 0; k < count; ++k) REQUIRE(back.values[k] == 1024 * before[k]);
  }
}

TEST_CASE("a rotated int16 model is within 2^25, and the largest gap within 2^30") {
  std::vector<std::int32_t> y(1024, -32768);
  // The worst case is one of equal signs: found by rotating back what has all of its weight in one place.
  std::vector<std::int32_t> worst(1024, 0);
  worst[0] = 1;
  (void)rotate_back({worst, 0}, {9, 9});
  for (std::size_t k = 0; k < y.size(); ++k) y[k] = worst[k] > 0 ? 32767 : -32768;
  rotate(Points(y), {9, 9});
  CHECK(y[0] > (1 << 25) - 1024);
  CHECK(y[0] <= 1 << 25);
  std::vector<std::int32_t> gap(1024, 2'000'000'000);
  const Gap back = rotate_back({gap, 0}, {9, 9});
  CHECK(*std::max_element(back.values.begin(), back.values.end()) <= 1 << 30);
  CHECK(*std::min_element(back.values.begin(), back.values.end()) >= -(1 << 30));
  CHECK(std::abs(back.values[0]) == 1 << 30);
}

TEST_CASE("of floats it keeps the sum of squares, times 32^2 (Parseval), and is what it is of integers") {
  constexpr std::uint64_t kSeed = 3;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (std::size_t count = 1; count < 3000; count += 1 + count / 3) {
    std::vector<float> y(count);
    double before = 0;
    for (float& value : y) {
      value = random.normal();
      before += static_cast<double>(value) * static_cast<double>(value);
    }
    rotate(Params(y), {random.bits(), 0});
    double after = 0;
    for (const float value : y) after += static_cast<double>(value) * static_cast<double>(value);
    CHECK(after == doctest::Approx(1024 * before).epsilon(1e-5));

    std::vector<std::int32_t> integers(count);
    for (std::int32_t& value : integers) value = between(random, -8000, 8000);
    std::vector<float> same(integers.begin(), integers.end());
    rotate(Points(integers), {1, 2});
    rotate(Params(same), {1, 2});
    REQUIRE(std::equal(same.begin(), same.end(), integers.begin(),
                       [](float a, std::int32_t b) { return a == static_cast<float>(b); }));
  }
}

TEST_CASE("one parameter that differs is spread over all: the largest of the rotation is 1 / sqrt(n) of it") {
  std::vector<float> y(1024, 0.0F);
  y[300] = 1;
  rotate(Params(y), {4, 0});
  for (const float value : y) CHECK(std::fabs(value) == 1);  // 32 / sqrt(1024)
}

TEST_CASE("int16 models that meet rotated conserve every sum, and come near their average") {
  constexpr std::uint64_t kSeed = 5;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (int round = 0; round < 500; ++round) {
    const std::size_t count = 1 + random.below(1500);
    std::vector<std::int16_t> i(count);
    std::vector<std::int16_t> r(count);
    for (std::size_t k = 0; k < count; ++k) {
      i[k] = static_cast<std::int16_t>(between(random, -20'000, 20'000));
      r[k] = static_cast<std::int16_t>(i[k] + between(random, -300, 300));
    }
    const std::uint32_t offset = random.bits();
    const Signs signs{offset, 1};
    const int fraction = 12;
    std::vector<std::int32_t> zi(i.begin(), i.end());
    std::vector<std::int32_t> zr(r.begin(), r.end());
    rotate(Points(zi), signs);
    rotate(Points(zr), signs);
    const Lattice lattice_i{between(random, 0, 6) - fraction, dither_of(offset)};
    const Lattice lattice_r{between(random, 0, 6) - fraction, dither_of(offset)};
    std::vector<std::int32_t> at_i(count);
    std::vector<std::int32_t> at_r(count);
    quantise(Values(ConstPoints(zr), fraction), lattice_r, at_i);
    quantise(Values(ConstPoints(zi), fraction), lattice_i, at_r);
    const Gap gap_i = rotate_back(
        difference(Side::initiator, Values(ConstPoints(zi), fraction), lattice_i, at_i, lattice_r.exponent),
        signs);
    const Gap gap_r = rotate_back(
        difference(Side::responder, Values(ConstPoints(zr), fraction), lattice_r, at_r, lattice_i.exponent),
        signs);
    const auto before_i = i;
    const auto before_r = r;
    const Rounding rounding{fraction, coins_of(offset)};
    REQUIRE(move(i, fraction, gap_i, Side::initiator, rounding) == 0);
    REQUIRE(move(r, fraction, gap_r, Side::responder, rounding) == 0);
    for (std::size_t k = 0; k < count; ++k) {
      REQUIRE(i[k] + r[k] == before_i[k] + before_r[k]);
      // A step of 2^6 in z is one of 2 units in a parameter of a block of 1024, of 2 in one that is alone.
      REQUIRE(std::abs(2 * i[k] - before_i[k] - before_r[k]) < 70);
    }
  }
}

}  // namespace
