// One thread's way from random words to the rows of a batch.
#pragma once

#include <popsgd/gradient.h>
#include <popsgd/random.h>
#include <popsgd/sim/problem.h>
#include <popsgd/sim/shards.h>

#include <cstdint>
#include <vector>

namespace popsgd::sim {

/// Draws i.i.d. batches (with replacement) from agents' shards and holds the memory a step needs. A draw is a
/// pure function of (stream, draw, lane, step): `draw` numbers interactions or gradient evaluations, below 2^40;
/// `lane` is 0 for the initiator and 1 for the responder; `step` counts the local steps.
class Sampler {
 public:
  /// Bits of the counter left to the samples of one draw: up to 2^24 samples a draw and lane.
  static constexpr int kSampleBits = 24;

  Sampler(const Problem& problem, const Shards& shards, std::size_t batch, std::size_t scratch,
          Threefry stream);

  /// The stream that training draws from.
  [[nodiscard]] static Threefry training(std::uint64_t seed) { return Random::key(seed, Purpose::batches); }

  /// The batch; valid until the next call.
  const Batch& draw(std::uint32_t agent, std::uint64_t draw, std::uint32_t lane, std::uint64_t step);

  /// Memory for a gradient.
  [[nodiscard]] Scratch scratch() { return {scratch_, scratch_size_}; }

 private:
  const Dataset& data_;
  const Shards& shards_;
  const bool plain_;
  Threefry random_;
  std::vector<float> memory_;
  std::size_t scratch_size_;
  float* features_;
  float* scratch_;
  std::vector<std::uint32_t> index_;
  std::vector<std::uint32_t> labels_;
  std::vector<float> targets_;
  Batch batch_;
};

}  // namespace popsgd::sim
