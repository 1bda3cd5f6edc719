#include "lattice.h"
#include "slow_crc.h"

#include <popsgd/lattice/encoding.h>
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
using popsgd::test::Guarded;

// A model of either kind.
struct Model {
  std::vector<float> floats;
  std::vector<std::int32_t> integers;
  int fraction = 0;

  [[nodiscard]] Values values() const {
    return floats.empty() ? Values(ConstPoints(integers), fraction) : Values(ConstParams(floats));
  }
  [[nodiscard]] std::vector<std::int32_t> points(Lattice lattice) const {
    std::vector<std::int32_t> all(values().size());
    quantise(values(), lattice, all);
    return all;
  }
};

// Of values around multiples of the step, as of numbers of steps.
Model model_near(const std::vector<double>& steps, int exponent, bool integer, int fraction) {
  Model model;
  model.fraction = fraction;
  for (const double s : steps) {
    const double y = std::ldexp(s, exponent);
    if (integer)
      model.integers.push_back(static_cast<std::int32_t>(std::lround(std::ldexp(y, fraction))));
    else
      model.floats.push_back(static_cast<float>(y));
  }
  return model;
}

TEST_CASE("the bits are those of the points, lowest first, at any width, length and address") {
  constexpr std::uint64_t kSeed = 1;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (int bits = kFewestBits; bits <= kMostBits; ++bits) {
    for (std::size_t count = 0; count < 400; count += count < 140 ? 1 : 37) {
      CAPTURE(bits);
      CAPTURE(count);
      std::vector<std::int32_t> points(count);
      for (std::int32_t& point : points) point = static_cast<std::int32_t>(random.bits()) >> 3;
      Guarded<std::byte> packed(packed_size(count, bits), 1 + random.below(8), std::byte{0xA5});
      encode(Values(ConstPoints(points), 0), {}, bits, packed.span());
      REQUIRE(packed.intact());
      std::size_t at = 0;
      for (const std::int32_t point : points) {
        for (int bit = 0; bit < bits; ++bit, ++at) {
          REQUIRE((std::to_integer<int>(packed.span()[at / 8]) >> at % 8 & 1) == (point >> bit & 1));
        }
      }
      for (; at < 8 * packed.span().size(); ++at)
        REQUIRE((std::to_integer<int>(packed.span()[at / 8]) >> at % 8 & 1) == 0);

      Guarded<std::int32_t> read(count, 1 + random.below(8), 77);
      const std::uint32_t furthest =
          decode(packed.span(), Values(ConstPoints(points), 0), {}, bits, read.span());
      REQUIRE(read.intact());
      REQUIRE(std::equal(points.begin(), points.end(), read.span().begin()));
      REQUIRE(furthest == 0);
    }
  }
}

TEST_CASE(
    "decoding is exact if and only if -2^(b-1) <= q - r < 2^(b-1); else it is wrong by a multiple of 2^b") {
  constexpr std::uint64_t kSeed = 2;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  std::uint64_t right = 0;
  std::uint64_t wrong = 0;
  for (int round = 0; round < 20'000; ++round) {
    const int bits = kFewestBits + round % (kMostBits - kFewestBits + 1);
    const std::size_t count = 1 + random.below(round % 16 == 0 ? 300 : 20);
    const double half = std::ldexp(1.0, bits - 1);
    // All pairs of kinds: the sender's step may be finer than the receiver's unit.
    const bool from_integer = random.below(2) == 0;
    const bool to_integer = random.below(2) == 0;
    const int exponent = between(random, -8, 2);
    const int from_fraction = -exponent + between(random, 0, 8);
    const int to_fraction = between(random, 4, 10);
    std::vector<double> theirs(count);
    std::vector<double> own(count);
    for (std::size_t k = 0; k < count; ++k) {
      theirs[k] = 300 * static_cast<double>(random.normal());
      // Around the border, on both sides of it.
      const double gap = random.below(3) == 0 ? half + 2 * static_cast<double>(random.normal())
                                              : half * 1.2 * static_cast<double>(random.uniform());
      own[k] = theirs[k] + (random.below(2) == 0 ? gap : -gap);
    }
    const Model sender = model_near(theirs, exponent, from_integer, from_fraction);
    const Model receiver = model_near(own, exponent, to_integer, to_fraction);
    const Lattice lattice{exponent, dither_of(random.bits())};
    const auto q = sender.points(lattice);
    const auto r = receiver.points(lattice);

    std::vector<std::byte> packed(packed_size(count, bits));
    encode(sender.values(), lattice, bits, packed);
    std::vector<std::int32_t> decoded(count);
    const std::uint32_t furthest = decode(packed, receiver.values(), lattice, bits, decoded);
    CAPTURE(round);
    bool all = true;
    std::int32_t largest = 0;
    for (std::size_t k = 0; k < count; ++k) {
      const std::int32_t gap = q[k] - r[k];
      const bool within = -(1 << (bits - 1)) <= gap && gap < 1 << (bits - 1);
      REQUIRE((decoded[k] == q[k]) == within);
      REQUIRE((decoded[k] - q[k]) % (1 << bits) == 0);
      largest = std::max(largest, std::abs(decoded[k] - r[k]));
      all = all && within;
    }
    REQUIRE(furthest == static_cast<std::uint32_t>(largest));
    REQUIRE((checksum(decoded) == checksum(sender.values(), lattice)) == all);
    ++(all ? right : wrong);
  }
  CHECK(right > 2000);
  CHECK(wrong > 2000);
}

TEST_CASE(
    "decoding to the gap is decoding, both checksums and the difference, of either kind, on either side") {
  constexpr std::uint64_t kSeed = 5;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (int round = 0; round < 5000; ++round) {
    CAPTURE(round);
    const int bits = kFewestBits + round % (kMostBits - kFewestBits + 1);
    const std::size_t count = random.below(round % 8 == 0 ? 500 : 20);
    const int exponent = between(random, -8, 2);
    std::vector<double> steps(count);
    for (double& s : steps) s = (random.below(50) == 0 ? 1e9 : 300) * static_cast<double>(random.normal());
    const Model own = model_near(steps, exponent, random.below(2) == 0, between(random, -2, 4));
    std::vector<std::byte> packed(packed_size(count, bits));
    for (std::byte& byte : packed) byte = static_cast<std::byte>(random.bits());
    const Lattice lattice{exponent, dither_of(random.bits())};

    std::vector<std::int32_t> theirs(count);
    const std::uint32_t furthest = decode(packed, own.values(), lattice, bits, theirs);
    const Checksums before{random.bits(), random.bits()};
    const Checksums after{checksum(own.values(), lattice, before.own), checksum(theirs, before.theirs)};
    for (const Side side : {Side::initiator, Side::responder}) {
      std::vector<std::int32_t> memory = theirs;
      const Gap gap = difference(side, own.values(), lattice, memory, lattice.exponent);
      Guarded<std::int32_t> read(count, 1 + random.below(8), 77);
      REQUIRE(decode_gap(packed, own.values(), lattice, bits, side, read.span()) == furthest);
      REQUIRE(std::equal(memory.begin(), memory.end(), read.span().begin()));
      REQUIRE(gap.exponent == lattice.exponent);
      Checksums sums = before;
      REQUIRE(decode_gap(packed, own.values(), lattice, bits, side, read.span(), &sums) == furthest);
      REQUIRE(read.intact());
      REQUIRE(std::equal(memory.begin(), memory.end(), read.span().begin()));
      REQUIRE(sums.own == after.own);
      REQUIRE(sums.theirs == after.theirs);
    }
  }
}

TEST_CASE("values less than 2^(b-1) - 1 steps apart are always decoded, those more than 2^(b-1) + 1 never") {
  constexpr std::uint64_t kSeed = 3;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  for (int round = 0; round < 20'000; ++round) {
    const int bits = kFewestBits + round % (kMostBits - kFewestBits + 1);
    const float half = std::ldexp(1.0F, bits - 1);
    const float y = 100 * random.normal();
    const bool near = random.below(2) == 0;
    const float gap = near ? 0.999F * (half - 1) * random.uniform() : half + 1.01F + 30 * random.uniform();
    const std::vector<float> sender{y};
    const std::vector<float> receiver{random.below(2) == 0 ? y + gap : y - gap};
    const Lattice lattice{0, dither_of(random.bits())};
    std::vector<std::byte> packed(packed_size(1, bits));
    encode(Values(ConstParams(sender)), lattice, bits, packed);
    std::vector<std::int32_t> decoded(1);
    decode(packed, Values(ConstParams(receiver)), lattice, bits, decoded);
    CAPTURE(bits);
    CAPTURE(gap);
    REQUIRE((checksum(decoded) == checksum(Values(ConstParams(sender)), lattice)) == near);
  }
}

TEST_CASE(
    "a sender's step may be finer than the receiver's unit, and the sender's points still come through") {
  const std::vector<float> sender{0.3F, -1.7F, 2.05F};
  const std::vector<std::int32_t> receiver{0, -2, 2};  // units of 1
  const Lattice lattice{-4, dither_of(99)};
  std::vector<std::byte> packed(packed_size(3, 6));
  encode(Values(ConstParams(sender)), lattice, 6, packed);
  std::vector<std::int32_t> decoded(3);
  CHECK(decode(packed, Values(ConstPoints(receiver), 0), lattice, 6, decoded) > 0);
  CHECK(checksum(decoded) == checksum(Values(ConstParams(sender)), lattice));
}

TEST_CASE("the checksum is that of the points' little-endian bytes, stored or made anew, in any pieces") {
  constexpr std::uint64_t kSeed = 4;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  std::vector<float> y(500);
  for (float& value : y) value = random.normal();
  const Lattice lattice{-12, dither_of(random.bits())};
  std::vector<std::int32_t> points(y.size());
  quantise(Values(ConstParams(y)), lattice, points);
  std::vector<std::byte> bytes;
  for (const std::int32_t point : points) {
    for (int k = 0; k < 4; ++k)
      bytes.push_back(static_cast<std::byte>(static_cast<std::uint32_t>(point) >> 8 * k));
  }
  const std::uint32_t whole = popsgd::test::slow_crc(bytes);
  const Values values{ConstParams(y)};
  CHECK(checksum(points) == whole);
  CHECK(checksum(values, lattice) == whole);
  for (std::size_t cut = 0; cut <= y.size(); cut += 7) {
    REQUIRE(checksum(values.part(cut, y.size() - cut), lattice.from(cut),
                     checksum(values.part(0, cut), lattice)) == whole);
    REQUIRE(checksum(ConstPoints(points).subspan(cut), checksum(ConstPoints(points).first(cut))) == whole);
  }
}

TEST_CASE("no wrap is silent: of 100,000 blocks every one with a wrong point has another checksum") {
  constexpr std::uint64_t kSeed = 5;
  constexpr std::size_t kLength = 16;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  int wrapped = 0;
  std::vector<std::int32_t> q(kLength);
  std::vector<std::int32_t> own(kLength);
  std::vector<std::int32_t> decoded(kLength);
  std::vector<std::byte> packed(packed_size(kLength, 4));
  for (int round = 0; round < 100'000; ++round) {
    for (std::size_t k = 0; k < kLength; ++k) {
      q[k] = between(random, -200, 200);
      own[k] = q[k] + between(random, -7, 7) + (random.below(24) == 0 ? between(random, -40, 40) : 0);
    }
    encode(Values(ConstPoints(q), 0), {}, 4, packed);
    decode(packed, Values(ConstPoints(own), 0), {}, 4, decoded);
    wrapped += decoded != q ? 1 : 0;
    REQUIRE((checksum(decoded) == checksum(q)) == (decoded == q));
  }
  CHECK(wrapped > 20'000);
}

TEST_CASE("the largest integers come through as any others, on any lattice") {
  std::vector<std::int32_t> y(300, std::numeric_limits<std::int32_t>::max());
  for (std::size_t k = 0; k < y.size(); k += 2) y[k] = std::numeric_limits<std::int32_t>::min();
  for (const int exponent : {-40, -1, 0, 1, 2, 20, 40}) {
    const Lattice lattice{exponent, dither_of(5)};
    std::vector<std::int32_t> points(y.size());
    for (std::size_t k = 0; k < y.size(); ++k)
      points[k] = popsgd::test::point_by_definition(std::int64_t{y[k]}, exponent, lattice.dither.at(k));
    const Values values(ConstPoints(y), 0);
    CHECK(checksum(values, lattice) == checksum(points));
    for (int bits = kFewestBits; bits <= kMostBits; ++bits) {
      std::vector<std::byte> packed(packed_size(y.size(), bits));
      encode(values, lattice, bits, packed);
      std::vector<std::int32_t> decoded(y.size());
      REQUIRE(decode(packed, values, lattice, bits, decoded) == 0);
      REQUIRE(decoded == points);
    }
  }
}

TEST_CASE("points at the ends of their range are decoded without an overflow") {
  for (const std::int32_t at : {kFurthest, -kFurthest}) {
    const std::vector<std::int32_t> own{at};
    for (int v = 0; v < 16; ++v) {
      const std::vector<std::byte> packed{static_cast<std::byte>(v)};
      std::vector<std::int32_t> decoded(1);
      decode(packed, Values(ConstPoints(own), 0), {}, 4, decoded);
      CHECK((decoded[0] & 15) == v);
      CHECK(std::abs(decoded[0] - at) <= 8);
    }
  }
}

TEST_CASE("tensors that are small and a small part of the model have two bits more, up to 16") {
  using popsgd::lattice::bits_of;
  CHECK(bits_of(10, 50'890, 4) == 6);
  CHECK(bits_of(640, 50'890, 3) == 5);
  CHECK(bits_of(1023, 100'000, 15) == 16);
  CHECK(bits_of(1023, 100'000, 16) == 16);
  CHECK(bits_of(1024, 100'000, 4) == 4);  // not small
  CHECK(bits_of(10, 320, 4) == 4);        // not a small part
  CHECK(bits_of(10, 321, 4) == 6);
}

}  // namespace
