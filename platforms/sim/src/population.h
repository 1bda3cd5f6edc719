// The population model: a sequence of interactions of random pairs (PopSGD, Algorithm 1, and its variants).
#pragma once

#include "conflict_queue.h"
#include "pairs.h"
#include "step_count.h"
#include "swarm.h"
#include "trainer.h"

#include <popsgd/sim/algorithm.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace popsgd::sim {

/// Whose steps an interaction takes and whom it changes.
enum class Interaction : std::uint8_t {
  both,       ///< PopSGD: both step, both move to the average
  one_sided,  ///< the initiator steps and adopts the average; its partner is only read (AD-PSGD-like)
};

class Population final : public Algorithm {
 public:
  Population(Interaction kind, const Problem& problem, const Settings& settings, const Topology& topology,
             const Shards& shards, Workers& workers);

  void run_until(std::uint64_t interactions) override;
  [[nodiscard]] std::uint32_t models() const override { return swarm_.agents(); }
  [[nodiscard]] ConstParams model(std::uint32_t index) const override { return swarm_[index]; }
  [[nodiscard]] Account account() const override;

 private:
  void run_chunk(std::span<const Pair> pairs);
  void run_in_order(std::span<const Pair> pairs);
  void run_by_queue(std::span<const Pair> pairs);
  void interact(std::size_t worker, Pair pair, std::uint64_t t);
  void take_steps(std::size_t worker, std::uint32_t agent, std::uint64_t t, std::uint32_t lane);
  void merge(Pair pair);
  void note_divergence(std::uint64_t t);
  [[nodiscard]] bool fusable() const;
  void run_fused(std::span<const Pair> pairs);

  const Interaction kind_;
  const Problem& problem_;
  const Settings& settings_;
  const Shards& shards_;
  Workers& workers_;
  PairSequence sequence_;
  StepCount step_count_;
  Swarm swarm_;
  std::optional<Swarm> snapshots_;  // Merge::delta: each model as of its last interaction
  Trainer trainer_;
  std::vector<std::uint64_t> evaluations_;  // of each worker
  std::optional<ConflictQueue> queue_;      // many workers, or models worth keeping in a cache
  std::uint64_t done_ = 0;                  // interactions
  std::atomic<std::uint64_t> first_bad_{UINT64_MAX};
};

}  // namespace popsgd::sim
