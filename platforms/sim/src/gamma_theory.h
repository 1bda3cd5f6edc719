// The theory line that a run's Gamma is drawn against.
#pragma once

#include "sampler.h"

#include <popsgd/sim/algorithm.h>
#include <popsgd/sim/theory.h>

#include <cstdint>
#include <optional>

namespace popsgd::sim {

/// Gamma as theory has it for PopSGD on this problem.
///
/// On a quadratic with H = 1, one sample a batch or more, a constant step, no momentum, equal speeds and the complete
/// graph: the exact moments. Otherwise a balance of what steps add and averaging removes,
///     Gamma <- (1 - lambda_2 / 2m) Gamma + gain,  gain = v (n-2)/n (average) or 2 v (n-1)/n (delta)
/// an interaction, with lambda_2 and m the spectral gap and number of edges of the graph (exactly 1/(n-1) on the
/// complete one; an upper bound on others) and v = E |sum of an agent's H steps|^2 measured from
/// gradients drawn at the agents' models. It leaves out curvature, momentum and the persistent part of skewed shards.
class GammaTheory {
 public:
  GammaTheory(const Problem& problem, const Settings& settings, const Topology& topology,
              const Shards& shards);

  /// Gamma after `interactions` in all, given the models as they are now.
  [[nodiscard]] double advance(const Algorithm& algorithm, std::uint64_t interactions);

 private:
  [[nodiscard]] double step_variance(const Algorithm& algorithm, std::uint64_t interactions);

  const Problem& problem_;
  const Settings& settings_;
  std::optional<QuadraticMoments> exact_;
  Sampler sampler_;
  double contraction_;
  std::uint64_t done_ = 0;
  double gamma_ = 0;
  std::uint64_t draws_ = 0;
};

/// The step size after `interactions` on average over the agents.
[[nodiscard]] float average_rate(const Settings& settings, std::uint64_t interactions);

}  // namespace popsgd::sim
