// Many interactions on a Quadratic at once: for models of a few cache lines, where calls would cost more than
// the arithmetic.
#pragma once

#include "pairs.h"
#include "swarm.h"

#include <popsgd/sim/problem.h>

#include <cstdint>
#include <span>

namespace popsgd::sim {

struct FusedQuadratic {
  const Problem& problem;
  const Swarm& swarm;
  float eta;
  float weight_decay;
  Threefry samples;     ///< Sampler::training(seed)
  std::uint64_t first;  ///< number of the first interaction
};

/// PopSGD's interactions with H = 1 and batches of one sample drawn from all rows, step and average in one pass:
///     x_i, x_j <- 1/2 [(1 - eta (a + lambda)) (x_i + x_j) + eta (c_i + c_j)]
/// The same samples as Sampler::draw(agent, t, lane, 0). Returns whether the models stayed finite.
bool interact_fused(const FusedQuadratic& job, std::span<const Pair> pairs);

}  // namespace popsgd::sim
