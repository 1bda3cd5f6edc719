// One way of spending stochastic gradients: what PopSGD and the algorithms it is compared with have in common.
#pragma once

#include <popsgd/gradient.h>
#include <popsgd/schedule.h>
#include <popsgd/sgd.h>
#include <popsgd/sim/encoding.h>
#include <popsgd/sim/numeric.h>
#include <popsgd/sim/problem.h>
#include <popsgd/sim/shards.h>
#include <popsgd/sim/topology.h>
#include <popsgd/sim/workers.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace popsgd::sim {

/// How many local SGD steps an agent takes between two interactions.
struct LocalSteps {
  std::uint32_t mean = 1;  ///< H >= 1
  bool geometric = false;  ///< drawn from 1, 2, ... with mean H (SwarmSGD) instead of always H
};

/// What an exchange does to the two models.
enum class Merge : std::uint8_t {
  average,  ///< step, then both adopt the average (PopSGD, Algorithm 1)
  delta,    ///< non-blocking: opposite deltas of the snapshots taken at each one's last interaction
};

/// Which counter a schedule runs on.
enum class Clock : std::uint8_t {
  gossip,  ///< averaged at every interaction
  own,     ///< the agent's own number of steps
};

/// Everything about learning that is not the problem itself.
struct Settings {
  Sgd sgd{};
  Schedule schedule{};  ///< `settle` is PopSGD's alone
  Clock clock = Clock::gossip;
  LocalSteps local_steps{};
  Merge merge = Merge::average;
  std::uint32_t agents = 32;
  std::size_t batch = 16;
  std::vector<double> speeds{};     ///< of each agent, mean 1; empty: all equal
  Encoding encoding{};              ///< of PopSGD's models on their way
  std::vector<Numeric> numerics{};  ///< of each of PopSGD's agents; empty: all float32
  std::uint64_t seed = 1;
};

/// What has been spent so far.
struct Account {
  std::uint64_t interactions = 0;          ///< pairwise exchanges (synchronous algorithms: none)
  std::uint64_t gradient_evaluations = 0;  ///< stochastic gradients, one a batch
  double parallel_time = 0;                ///< interactions / (n/2), or rounds
  std::uint64_t bytes = 0;                 ///< of parameters, sent by all agents together; see Encoding
  std::uint64_t models_sent = 0;  ///< at one model from each agent to the other, an interaction sends two
  std::uint64_t wrapped = 0;      ///< interactions that took more bits: points were out of reach
  std::uint64_t saturated = 0;    ///< integers cut off at the ends of their types
};

/// A swarm of models and a rule by which they learn. The result is a function of the problem and the
/// settings alone, whatever the number of workers.
class Algorithm {
 public:
  virtual ~Algorithm() = default;

  /// Goes on until as many gradients have been spent as PopSGD spends in `interactions` interactions from the start
  /// (2 H each), or until the loss stops being finite.
  virtual void run_until(std::uint64_t interactions) = 0;

  /// Number of models held: the agents, or 1 for the centralised ones.
  [[nodiscard]] virtual std::uint32_t models() const = 0;
  [[nodiscard]] virtual ConstParams model(std::uint32_t index) const = 0;

  [[nodiscard]] virtual Account account() const = 0;

  /// Where the loss stopped being finite: PopSGD's interaction, or the number of gradients spent by then / 2 H.
  [[nodiscard]] std::optional<std::uint64_t> diverged_at() const { return diverged_at_; }

 protected:
  std::optional<std::uint64_t> diverged_at_;
};

/// `name`: popsgd, sgd, minibatch, fedavg, dpsgd, adpsgd, sgp, local. All that is passed by reference, the settings
/// too, must outlive the result. Throws Error for an unknown name or settings the algorithm cannot honour.
[[nodiscard]] std::unique_ptr<Algorithm> make_algorithm(std::string_view name, const Problem& problem,
                                                        const Settings& settings, const Topology& topology,
                                                        const Shards& shards, Workers& workers);

}  // namespace popsgd::sim
