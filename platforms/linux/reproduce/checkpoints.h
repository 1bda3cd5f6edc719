// What the claims about numbers and bits measure: runs that differ in one thing, seed by seed.
#pragma once

#include <popsgd/sim/algorithm.h>
#include <popsgd/sim/problem.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace popsgd::command {

/// A swarm to train, and what comes out: means over the checkpoints of the second half of the run.
struct Training {
  sim::Settings settings{};
  std::string shards{};
  bool devices =
      false;  ///< by devices' own agents, over a stream, without a gate; else by the population engine
  double accuracy = 0;  ///< of the mean model
  double gamma = 0;
  double bits = 0;     ///< on the wire for a parameter sent
  double wrapped = 0;  ///< share of the exchanges that took more bits
};

/// Trains on the calling thread alone.
void train(Training& training, const sim::Problem& problem, std::uint64_t steps);

/// Mean of what `changed` gains in accuracy over `reference`, run by run, in points, and its standard error.
struct Difference {
  double mean = 0;
  double error = 0;
};
[[nodiscard]] Difference points_gained(std::span<const Training> changed,
                                       std::span<const Training> reference);

/// "-0.03 +- 0.02"
[[nodiscard]] std::string text(const Difference& difference);

/// The mean of one of the fields.
[[nodiscard]] double mean_of(std::span<const Training> runs, double Training::*field);

}  // namespace popsgd::command
