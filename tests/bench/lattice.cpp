// popsgd_lattice_bench: what a quantised exchange takes beside a copy of the model. A model of a million floats goes
// through its exchange block by block, as devices do it: encode, decode the partner's points to the gap, as they
// do when both send on the same lattice, move. Beside it the C library copies as many bytes between buffers that no cache holds. Medians over interleaved
// pairs of runs. The last row is all that an agent does with the snapshots of its blocks.
#include "exchange/snapshots.h"

#include <popsgd/lattice/encoding.h>
#include <popsgd/lattice/gap.h>
#include <popsgd/lattice/points.h>
#include <popsgd/lattice/rotation.h>
#include <popsgd/random.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

namespace {

using namespace popsgd;
namespace lattice = popsgd::lattice;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kParameters = 1 << 20;
constexpr std::size_t kBlock = 1024;  // 4 kB, as agents have them
constexpr std::size_t kBytes = kParameters * sizeof(float);

double timed(const std::function<void()>& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

// One side of an exchange of all blocks.
class Half {
 public:
  Half(int bits, bool checksums, bool rotated)
      : bits_(bits),
        checksums_(checksums),
        rotated_(rotated),
        model_(kParameters),
        packed_(kBytes),
        theirs_(kBytes) {
    Random random(1, Purpose::user);
    for (float& value : model_) value = random.normal();
    const std::vector<float> before = model_;
    for (float& value : model_) value += 0.01F * random.normal();
    run();  // the partner's chunks
    theirs_ = packed_;
    model_ = before;
  }

  void run() {
    for (std::size_t k = 0; k < kParameters; k += kBlock) block(k);
  }

 private:
  void block(std::size_t k) {
    const auto slice = static_cast<std::uint32_t>(k / kBlock);
    const std::size_t bytes = lattice::packed_size(kBlock, bits_);
    const auto packed = std::span(packed_).subspan(slice * bytes, bytes);
    const auto theirs = std::span(theirs_).subspan(slice * bytes, bytes);
    const auto x = std::span(model_).subspan(k, kBlock);
    const lattice::Lattice grid{-6, lattice::dither_of(12345 + slice)};
    if (rotated_) {
      std::copy(x.begin(), x.end(), snapshot_.begin());
      lattice::rotate(Params(snapshot_), {12345, slice});
    }
    const lattice::Values mine{rotated_ ? ConstParams(snapshot_) : ConstParams(x)};
    lattice::encode(mine, grid, bits_, packed);
    lattice::Checksums sums;
    lattice::decode_gap(theirs, mine, grid, bits_, lattice::Side::initiator, points_,
                        checksums_ ? &sums : nullptr);
    sum_ ^= sums.own ^ sums.theirs;
    lattice::Gap gap{points_, grid.exponent};
    if (rotated_) gap = lattice::rotate_back(gap, {12345, slice});
    lattice::move(x, gap, lattice::Side::initiator);
  }

  int bits_;
  bool checksums_;
  bool rotated_;
  std::uint32_t sum_ = 0;
  std::vector<float> model_;
  std::vector<std::byte> packed_;
  std::vector<std::byte> theirs_;
  std::vector<float> snapshot_ = std::vector<float>(kBlock);
  std::vector<std::int32_t> points_ = std::vector<std::int32_t>(kBlock);
};

// The same by the agent's own code: chunks of 1200 bytes with what leads them, checksums, distance, limit and move.
class Device {
 public:
  Device() {
    Random random(1, Purpose::user);
    for (float& value : model_) value = random.normal();
    const std::vector<float> before = model_;
    for (float& value : model_) value += 0.01F * random.normal();
    for (std::size_t k = 0; k < kBlocks; ++k)
      steps_.observe(0, k * kBlock, {.steps = 75, .exponent = -10}, false);
    snapshots_.connect(lattice::Side::initiator, Numeric::float32, false, kMtu);
    run();  // the partner's chunks
    theirs_ = chunks_;
    model_ = before;
  }

  void run() {
    for (std::size_t k = 0; k < kBlocks; ++k) block(k);
  }

 private:
  static constexpr std::size_t kBlocks = kParameters / kBlock;
  static constexpr std::uint16_t kMtu = 1200;
  using Chunk = std::array<std::byte, kMtu>;

  void block(std::size_t k) {
    snapshots_.take({k * kBlock, kBlock}, static_cast<std::uint32_t>(12345 + k));
    const Encoding encoding{4, false};
    const std::uint16_t chunks = snapshots_.speak(encoding, steps_);
    snapshots_.hear(encoding);
    for (std::uint16_t chunk = 0; chunk < chunks; ++chunk) {
      const std::size_t size = snapshots_.write(chunk, chunks_[k]).size();
      const auto theirs = std::span<const std::byte>(theirs_[k]).first(size);
      if (snapshots_.fits(chunk, theirs)) snapshots_.read(chunk, theirs);
    }
    sum_ ^= snapshots_.their_checksum() ^ snapshots_.own_checksum();
    snapshots_.settle();
    if (snapshots_.within(1e6F)) static_cast<void>(snapshots_.move(view_));
  }

  std::uint32_t sum_ = 0;
  std::vector<float> model_ = std::vector<float>(kParameters);
  std::vector<Chunk> chunks_ = std::vector<Chunk>(kBlocks);
  std::vector<Chunk> theirs_ = std::vector<Chunk>(kBlocks);
  std::vector<std::byte> memory_ = std::vector<std::byte>(8 * kBlock);
  std::array<Scale, 1> scales_{};
  const Model view_{Params(model_)};
  Snapshots snapshots_{view_, std::span(memory_).first(4 * kBlock), std::span(memory_).subspan(4 * kBlock),
                       scales_};
  std::vector<lattice::StepEstimate> estimates_ = std::vector<lattice::StepEstimate>(kBlocks);
  const Quantisation quantisation_{.width = Width::fixed, .bits = 4};
  Steps steps_{quantisation_, estimates_, kBlock};
};

// Copies 4 MB after 4 MB between buffers of 128 MB.
class Copy {
 public:
  void run() {
    std::memcpy(to_.data() + at_, from_.data() + at_, kBytes);
    __asm__ volatile("" : : "r"(to_.data()) : "memory");
    at_ = (at_ + kBytes) % (kPieces * kBytes);
  }

 private:
  static constexpr std::size_t kPieces = 32;
  std::vector<char> from_ = std::vector<char>(kPieces * kBytes, 1);
  std::vector<char> to_ = std::vector<char>(kPieces * kBytes, 2);
  std::size_t at_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const int pairs = argc > 1 ? std::atoi(argv[1]) : 101;
  Copy copy;
  const auto compare = [&](const char* name, auto exchange) {
    std::vector<double> ratios;
    std::vector<double> times;
    for (int k = -3; k < pairs; ++k) {
      const double copied = timed([&] { copy.run(); });
      times.push_back(timed([&] { exchange->run(); }));
      if (k >= 0) ratios.push_back(copied / times.back());
    }
    std::printf("  %s  %.2f   (%.2f ms)\n", name, median(ratios), 1e3 * median(times));
    std::fflush(stdout);
  };
  std::printf("A million floats, blocks of %zu: time of memcpy / time of encode, decode and move\n", kBlock);
  for (const auto& [bits, checksums, rotated] : {std::tuple{4, false, false},
                                                 {4, true, false},
                                                 {8, false, false},
                                                 {8, true, false},
                                                 {16, true, false},
                                                 {3, true, false},
                                                 {4, false, true}}) {
    std::array<char, 64> name;
    std::snprintf(name.data(), name.size(), "%2d bits, checksums %s, %s", bits, checksums ? "in " : "out",
                  rotated ? "rotated" : "plain  ");
    compare(name.data(), std::make_unique<Half>(bits, checksums, rotated));
  }
  compare("all that an agent does, 4 bits ", std::make_unique<Device>());
}
