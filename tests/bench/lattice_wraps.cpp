// popsgd_lattice_wraps: blocks of points that are drawn so that many of them cannot be decoded, by the million. Each
// that came out wrong must have another checksum than the sender's. A checksum of 32 bits lets one in 2^32 through.
#include <popsgd/lattice/encoding.h>
#include <popsgd/lattice/points.h>
#include <popsgd/random.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdint>
#include <cstdio>

#include <CLI/CLI.hpp>

namespace {

using namespace popsgd;
namespace lattice = popsgd::lattice;

constexpr std::size_t kMostLength = 64;

struct Count {
  std::uint64_t blocks = 0;
  std::uint64_t wrapped = 0;
  std::uint64_t detected = 0;
  std::uint64_t alarms = 0;  // for nothing
};

// Two models of which one coordinate in `rarity` is out of reach.
void exchange_block(Random& random, int bits, Count& count) {
  std::array<float, kMostLength> mine;
  std::array<float, kMostLength> theirs;
  std::array<std::int32_t, kMostLength> points;
  std::array<std::int32_t, kMostLength> decoded;
  std::array<std::byte, 2 * kMostLength> packed;
  const std::size_t length = 1 + random.below(kMostLength);
  const std::uint32_t rarity = 1U << random.below(8);
  const float reach = lattice::power_of_two(bits);
  for (std::size_t k = 0; k < length; ++k) {
    theirs[k] = 100 * (random.uniform() - 0.5F);
    const float gap = 0.4F * reach * (random.uniform() - 0.5F);
    mine[k] = theirs[k] + gap + (random.below(rarity) == 0 ? 3 * reach * (random.uniform() - 0.5F) : 0);
  }
  const lattice::Lattice grid{0, lattice::dither_of(random.bits())};
  const lattice::Values sender{ConstParams(theirs).first(length)};
  const lattice::Values receiver{ConstParams(mine).first(length)};
  const auto bytes = std::span(packed).first(lattice::packed_size(length, bits));
  const auto sent = lattice::Points(points).first(length);
  const auto got = lattice::Points(decoded).first(length);
  lattice::quantise(sender, grid, sent);
  lattice::encode(sender, grid, bits, bytes);
  lattice::decode(bytes, receiver, grid, bits, got);
  const bool wrong = !std::equal(sent.begin(), sent.end(), got.begin());
  const bool alarm = lattice::checksum(got) != lattice::checksum(sender, grid);
  ++count.blocks;
  count.wrapped += wrong ? 1 : 0;
  count.detected += wrong && alarm ? 1 : 0;
  count.alarms += !wrong && alarm ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Wrapped points against the checksum");
  std::uint64_t blocks = 1'000'000;
  std::uint64_t seed = 1;
  app.add_option("--blocks", blocks, "Blocks of up to 64 points")->capture_default_str();
  app.add_option("--seed", seed)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  Count count;
  Random random(seed, Purpose::user);
  for (std::uint64_t k = 0; k < blocks; ++k) exchange_block(random, 2 + static_cast<int>(k % 7), count);
  std::printf("%" PRIu64 " blocks: %" PRIu64 " wrapped, %" PRIu64 " detected, %" PRIu64 " silent, %" PRIu64
              " alarms for nothing\n",
              count.blocks, count.wrapped, count.detected, count.wrapped - count.detected, count.alarms);
  return count.wrapped == count.detected && count.alarms == 0 ? 0 : 1;
}
