// What must be the same bits on every target: fixed-point learning, lattice points, frames, and two agents that meet. The
// published digests were computed on x86-64. In float: the same to a tolerance.
#include "check.h"
#include "codec/codec.h"
#include "digits.h"

#include <popsgd/crc32c.h>
#include <popsgd/fixed_network.h>
#include <popsgd/lattice/encoding.h>
#include <popsgd/lattice/gap.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace {

using namespace popsgd;
using firmware_test::check;
using firmware_test::check_digest;

template <typename Values>
std::uint32_t digest_of(const Values& values) {
  return crc32c(std::as_bytes(std::span(values)));
}

// --- learning

void fixed_point_learns_to_the_same_bits() {
  static std::array<std::int16_t, 650> x{};
  static std::array<std::int32_t, 20> scratch{};
  constexpr std::array<std::uint32_t, 2> kWidths{64, 10};
  constexpr std::array<LayerFormat, 1> kFormats{{{.weights = 12, .biases = 12}}};
  const auto network =
      FixedNetwork<std::int16_t, std::int16_t>::make(kWidths, Loss::cross_entropy, kFormats).value();
  firmware::Digits digits(1);
  Random noise(1, Purpose::rounding);
  std::uint64_t saturated = 0;
  std::uint32_t losses = 0;
  for (int step = 0; step < 1000; ++step) {
    const std::int32_t loss =
        network.step(x, digits.next(), {.mantissa = 3U << 29, .shift = 35}, noise, scratch, saturated);
    losses = losses * 31 + static_cast<std::uint32_t>(loss);
  }
  std::size_t right = 0;
  for (int k = 0; k < 200; ++k) right += network.evaluate(x, digits.next(), scratch).correct;
  check(right > 180, "after 1000 digits more than nine in ten others are read right");
  check(saturated == 0, "nothing was cut off at the end of its type");
  check_digest(digest_of(x), 2042121025, "1000 steps end at the published weights");
  check_digest(losses, 2591170971, "1000 steps have the published losses");
}

// --- lattice

void float_points_are_the_same_everywhere() {
  std::array<float, 64> floats{};
  Random random(2, Purpose::user);
  for (float& value : floats)
    value = static_cast<float>(static_cast<std::int32_t>(random.bits() >> 8)) * 0x1p-22F - 2;
  std::array<std::int32_t, 64> points{};
  const lattice::Lattice grid{-7, lattice::dither_of(0x12345678)};
  lattice::quantise(lattice::Values(ConstParams(floats)), grid, points);
  check_digest(digest_of(points), 419063068, "floats have the published points");

  std::array<std::byte, 32> packed{};
  lattice::encode(lattice::Values(ConstParams(floats)), grid, 4, packed);
  check_digest(digest_of(packed), 3221814092, "points of 4 bits are the published bytes");

  std::array<float, 64> near = floats;
  for (std::size_t k = 0; k < near.size(); ++k) near[k] += k % 2 == 0 ? 0.02F : -0.02F;
  std::array<std::int32_t, 64> decoded{};
  static_cast<void>(lattice::decode(packed, lattice::Values(ConstParams(near)), grid, 4, decoded));
  check(decoded == points, "a near model decodes the sender's points");
}

void an_averaging_is_the_same_everywhere() {
  Random random(3, Purpose::user);
  std::array<std::int16_t, 64> mine{};
  std::array<std::int16_t, 64> theirs{};
  std::array<std::int32_t, 64> gap{};
  for (std::size_t k = 0; k < gap.size(); ++k) {
    mine[k] = static_cast<std::int16_t>(random.below(2000));
    theirs[k] = static_cast<std::int16_t>(random.below(2000));
    gap[k] = theirs[k] - mine[k];
  }
  std::int32_t before = 0;
  std::int32_t after = 0;
  for (std::size_t k = 0; k < gap.size(); ++k) before += mine[k] + theirs[k];
  const lattice::Rounding rounding{12, lattice::coins_of(7)};
  check(lattice::move(std::span(mine), 12, {gap, -12}, lattice::Side::initiator, rounding) == 0,
        "nothing saturates");
  check(lattice::move(std::span(theirs), 12, {gap, -12}, lattice::Side::responder, rounding) == 0,
        "nothing saturates");
  for (std::size_t k = 0; k < gap.size(); ++k) after += mine[k] + theirs[k];
  check(before == after, "an averaging keeps the sum of both models");
  check_digest(digest_of(mine), 110209688, "an averaging ends at the published integers");
}

// --- frames

void frames_are_the_published_bytes() {
  alignas(8) std::array<std::byte, 256> bytes{};
  constexpr std::array<std::byte, 5> kData{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4},
                                           std::byte{5}};
  const codec::Frame frame{
      .kind = codec::Kind::state, .exchange = 0x123456789ABCDEF0, .block = 3, .chunk = 2, .data = kData};
  const auto encoded = codec::encode(frame, bytes);
  check(encoded.ok(), "a frame is encoded");
  check_digest(digest_of(encoded.value()), 2869373519, "a frame is the published bytes");
  const auto decoded = codec::decode(encoded.value());
  check(
      decoded.ok() && decoded->exchange == frame.exchange && decoded->chunk == 2 && decoded->data.size() == 5,
      "a frame is decoded as it was");
  bytes[0] = std::byte{0xFF};
  check(!codec::decode(encoded.value()).ok(), "a frame that is none is refused");
}

// --- float

void floats_agree_to_a_tolerance() {
  // x <- x - 0.1 (x - 1), a hundred times: 1 - 0.9^100.
  float x = 0;
  for (int k = 0; k < 100; ++k) x -= 0.1F * (x - 1);
  const float error = x - (1 - 2.6561399e-5F);
  check(error < 1e-6F && error > -1e-6F, "a float descends to its closed form, to 1e-6");
}

}  // namespace

int main() {
  fixed_point_learns_to_the_same_bits();
  if constexpr (held(Numeric::float32)) float_points_are_the_same_everywhere();
  an_averaging_is_the_same_everywhere();
  frames_are_the_published_bytes();
  floats_agree_to_a_tolerance();
  if (firmware_test::failures == 0) firmware_test::print("all promises kept\n");
  return firmware_test::failures == 0 ? 0 : 1;
}
