// What every algorithm does with one model: draw a batch, take a step.
#pragma once

#include "sampler.h"
#include "swarm.h"

#include <popsgd/counter.h>
#include <popsgd/sim/algorithm.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace popsgd::sim {

/// Local SGD steps for the models of a swarm, from many threads at once (one a model at a time).
class Trainer {
 public:
  Trainer(const Problem& problem, const Settings& settings, const Shards& shards, std::uint32_t models,
          std::size_t workers);

  struct Steps {
    std::uint64_t taken;
    bool finite;  ///< every loss
  };
  /// `steps` local steps of `model` on batches of `agent`'s shard, or as many as it takes until the model has settled.
  Steps step(std::size_t worker, std::uint32_t model, Params x, std::uint32_t agent, std::uint64_t draw,
             std::uint32_t lane, std::uint64_t steps);

  /// The mean gradient of one batch of `agent`, into <- keep * into + scale * grad f(at); returns whether the
  /// loss was finite.
  bool add_gradient(std::size_t worker, ConstParams at, std::uint32_t agent, std::uint64_t draw, float keep,
                    float scale, Params into);

  /// The step size of `model` now.
  [[nodiscard]] float rate(std::uint32_t model) const {
    return counters_.empty() ? settings_.schedule.eta : settings_.schedule.rate(counters_[model]);
  }

  /// Its step size has fallen below the threshold: it goes on averaging, without steps.
  [[nodiscard]] bool settled(std::uint32_t model) const { return rate(model) < settings_.schedule.settle; }

  /// An interaction of two agents as far as their counters are concerned.
  void average_counters(std::uint32_t a, std::uint32_t b) {
    if (settings_.clock == Clock::gossip && !counters_.empty()) meet(counters_[a], counters_[b]);
  }

  /// Counts a step that was taken without step().
  void count_step(std::uint32_t model) {
    if (!counters_.empty()) counters_[model].add_step();
  }

 private:
  const Settings& settings_;
  Gradient gradient_;
  std::vector<Sampler> samplers_;
  std::optional<Swarm> velocities_;
  std::vector<StepCounter> counters_;  // empty when the step size is constant: nothing reads them
};

}  // namespace popsgd::sim
