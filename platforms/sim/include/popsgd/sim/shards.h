// Which training rows each agent draws its batches from.
#pragma once

#include <popsgd/sim/dataset.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace popsgd::sim {

/// The rows of a training set dealt to the agents: each row to exactly one of them, and at least one row to
/// each; or shared, when every agent draws from all rows and nothing is stored.
class Shards {
 public:
  /// Deals the rows of `train` to agents >= 1 as `spec` says, as a function of (spec, train, agents, seed):
  ///   shared           every agent draws from the whole set, the setting of the PopSGD paper
  ///   iid              a random permutation in equal parts; sizes differ by at most one
  ///   dirichlet:ALPHA  each class in proportions drawn from Dirichlet(ALPHA, ..., ALPHA) over the agents
  ///                    (the usual allocation per class after Hsu, Qi, Brown, arXiv 1909.06335); agents left
  ///                    without a row receive one from the largest shard; ALPHA from 1e-6 (a class goes to
  ///                    one agent) to 1e6 (equal parts)
  ///   labels:K         the rows in order of class, cut in K pieces an agent, K random pieces to each
  ///                    (McMahan et al., arXiv 1602.05629); K >= 1 and K agents <= rows
  /// Throws Error on an unknown name, a parameter out of range, more agents than rows unless shared, or
  /// dirichlet and labels on data without classes.
  [[nodiscard]] static Shards make(std::string_view spec, const Dataset& train, std::uint32_t agents,
                                   std::uint64_t seed);

  [[nodiscard]] bool shared() const { return offsets_.empty(); }

  /// The rows of `agent` in increasing order; empty when shared.
  [[nodiscard]] std::span<const std::uint32_t> of(std::uint32_t agent) const;

 private:
  Shards() = default;
  Shards(const std::vector<std::uint32_t>& owner_of_row, std::uint32_t agents);

  [[nodiscard]] std::vector<std::uint32_t> give_to_empty(std::vector<std::uint32_t> owner) const;

  std::vector<std::size_t> offsets_;  ///< of each agent's rows; agents + 1 values, none when shared
  std::vector<std::uint32_t> rows_;   ///< all shards end to end
};

}  // namespace popsgd::sim
