// The algorithms with rounds: every agent works, then all exchange at once.
#pragma once

#include "swarm.h"
#include "trainer.h"

#include <popsgd/sim/algorithm.h>

#include <cstdint>
#include <vector>

namespace popsgd::sim {

/// What the synchronous algorithms share: the budget, the account, and where a loss stopped being finite.
class Synchronous : public Algorithm {
 public:
  void run_until(std::uint64_t interactions) final;
  [[nodiscard]] std::uint32_t models() const override { return swarm_.agents(); }
  [[nodiscard]] ConstParams model(std::uint32_t index) const override { return swarm_[index]; }
  [[nodiscard]] Account account() const final;

 protected:
  Synchronous(const Problem& problem, const Settings& settings, const Shards& shards, Workers& workers,
              std::uint32_t models);

  /// One round; returns whether every loss was finite.
  virtual bool round(std::uint64_t number) = 0;

  /// Gradients spent, models sent and agents at work in one round.
  struct Cost {
    std::uint64_t evaluations;
    std::uint64_t models_sent;
    std::uint32_t agents;
  };
  [[nodiscard]] virtual Cost cost() const = 0;

  /// H local steps of every agent on its own model; returns whether every loss was finite.
  bool all_step(std::uint64_t number);

  /// The number of agent's batch in round `number`, as Sampler wants it.
  [[nodiscard]] std::uint64_t draw(std::uint64_t number, std::uint32_t agent) const {
    return number * settings_.agents + agent;
  }

  const Problem& problem_;
  const Settings& settings_;
  Workers& workers_;
  Swarm swarm_;
  Trainer trainer_;

 private:
  std::uint64_t rounds_ = 0;
};

}  // namespace popsgd::sim
