// The population model for agents that learn in integers, or say what they send.
#pragma once

#include "conflict_queue.h"
#include "pairs.h"
#include "quantised/agent.h"
#include "quantised/exchange.h"
#include "quantised/fixed_trainer.h"
#include "step_count.h"
#include "swarm.h"
#include "trainer.h"

#include <popsgd/sim/algorithm.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace popsgd::sim {

/// PopSGD as Population has it, step by step and draw by draw; but agents hold models of different kinds, and average by
/// an Exchange.
class QuantisedPopulation final : public Algorithm {
 public:
  QuantisedPopulation(const Problem& problem, const Settings& settings, const Topology& topology,
                      const Shards& shards, Workers& workers);

  void run_until(std::uint64_t interactions) override;
  [[nodiscard]] std::uint32_t models() const override { return settings_.agents; }
  [[nodiscard]] ConstParams model(std::uint32_t index) const override { return shown_[index]; }
  [[nodiscard]] Account account() const override;

 private:
  struct Tally {  // of one thread
    std::unique_ptr<Exchange> exchange;
    Toll toll{};
    std::uint64_t steps = 0;
  };

  void make_agents();
  void run_chunk(std::span<const Pair> pairs);
  void interact(std::size_t worker, Pair pair, std::uint64_t t);
  void take_steps(std::size_t worker, std::uint32_t agent, std::uint64_t t, std::uint32_t lane);
  void show();

  const Problem& problem_;
  const Settings& settings_;
  Workers& workers_;
  PairSequence sequence_;
  StepCount step_count_;
  Threefry names_;
  Trainer trainer_;
  FixedTrainers fixed_trainers_;
  std::vector<Tensor> float_layout_;
  std::vector<LearningAgent> agents_;
  std::vector<Tally> tallies_;
  Swarm shown_;  // the models as floats, as of the last run_until()
  ConflictQueue queue_;
  std::uint64_t done_ = 0;  // interactions
  std::atomic<std::uint64_t> first_bad_{UINT64_MAX};
};

}  // namespace popsgd::sim
