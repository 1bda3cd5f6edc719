// The algorithms PopSGD is compared with.
#pragma once

#include "synchronous.h"

#include <cstdint>
#include <vector>

namespace popsgd::sim {

/// One model, one sequence of SGD steps on batches of all the data.
class CentralSgd final : public Synchronous {
 public:
  CentralSgd(const Problem&, const Settings&, Workers&);

 private:
  bool round(std::uint64_t number) override { return trainer_.step(0, 0, swarm_[0], 0, number, 0, 1).finite; }
  [[nodiscard]] Cost cost() const override { return {1, 0, 1}; }
};

/// One model, every step with the mean of n agents' gradients: parallel SGD with an all-reduce.
class MiniBatch final : public Synchronous {
 public:
  MiniBatch(const Problem&, const Settings&, const Shards&, Workers&);

 private:
  bool round(std::uint64_t number) override;
  [[nodiscard]] Cost cost() const override {
    // A ring all-reduce: each agent sends 2 (n - 1) / n models.
    return {settings_.agents, 2 * (std::uint64_t{settings_.agents} - 1), settings_.agents};
  }

  std::vector<std::vector<float>>
      partial_;  // sums of fixed groups of agents: the same for any number of threads
  std::vector<float> velocity_;
  std::vector<float> scratch_;
};

/// H local steps of every agent from the common model, then the mean of all (McMahan et al. 2017, full participation).
class FedAvg final : public Synchronous {
 public:
  FedAvg(const Problem&, const Settings&, const Shards&, Workers&);

 private:
  bool round(std::uint64_t number) override;
  [[nodiscard]] Cost cost() const override {
    const std::uint64_t n = settings_.agents;
    return {n * settings_.local_steps.mean, 2 * n, settings_.agents};
  }
};

/// H local steps of every agent, then x_i <- sum_j W_ij x_j over neighbours (Lian et al. 2017), with Metropolis
/// weights W_ij = 1 / (1 + max(degree_i, degree_j)).
class DecentralisedSgd final : public Synchronous {
 public:
  DecentralisedSgd(const Problem&, const Settings&, const Topology&, const Shards&, Workers&);

 private:
  bool round(std::uint64_t number) override;
  void mix(std::uint32_t agent);
  [[nodiscard]] Cost cost() const override {
    const std::uint64_t n = settings_.agents;
    return {n * settings_.local_steps.mean, 2 * topology_.edges(), settings_.agents};
  }

  const Topology& topology_;
  Swarm mixed_;
};

/// Stochastic gradient push (Assran et al. 2019): every agent holds a sum x and a weight w, takes its gradient at
/// z = x / w, keeps an equal share of both and pushes the others to its targets. On the complete graph that is one
/// target a round, agent i + 2^k (mod n) with k going round (the directed exponential graph of the paper);
/// on others all neighbours, where the weights make up for unequal degrees.
class GradientPush final : public Synchronous {
 public:
  GradientPush(const Problem&, const Settings&, const Topology&, const Shards&, Workers&);

  [[nodiscard]] ConstParams model(std::uint32_t index) const override { return estimates_[index]; }

 private:
  bool round(std::uint64_t number) override;
  void receive(std::uint32_t agent, std::uint64_t number);
  void add_share(std::uint32_t sender, std::size_t targets, std::uint32_t receiver);
  [[nodiscard]] Cost cost() const override {
    const std::uint64_t sent = topology_.complete() ? settings_.agents : 2 * topology_.edges();
    return {settings_.agents, sent, settings_.agents};
  }

  const Topology& topology_;
  Swarm received_;
  Swarm estimates_;  // z
  std::vector<float> weights_;
  std::vector<float> received_weights_;
};

/// Every agent by itself.
class LocalOnly final : public Synchronous {
 public:
  LocalOnly(const Problem&, const Settings&, const Shards&, Workers&);

 private:
  bool round(std::uint64_t number) override { return all_step(number); }
  [[nodiscard]] Cost cost() const override {
    return {std::uint64_t{settings_.agents} * settings_.local_steps.mean, 0, settings_.agents};
  }
};

}  // namespace popsgd::sim
