// A run from start to end: learn, look, learn on.
#pragma once

#include <popsgd/sim/algorithm.h>
#include <popsgd/sim/measure.h>
#include <popsgd/sim/network.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace popsgd::sim {

/// What to run. Everything it refers to must outlive the run.
struct Experiment {
  const Problem& problem;
  const Settings& settings;
  const Topology& topology;
  const Shards& shards;
  std::string algorithm = "popsgd";
  std::uint64_t interactions = 0;   ///< in all; see Algorithm::run_until()
  std::uint64_t measure_every = 0;  ///< interactions between measurements; 0: at the start and the end only
  const NetworkSettings* network = nullptr;  ///< PopSGD by message passing; null: the population model
};

struct Outcome {
  std::vector<Measurement> measurements;       ///< the first at the start, the last at the end
  std::optional<std::uint64_t> diverged_at{};  ///< the interaction at which the loss stopped being finite
  double seconds = 0;                          ///< learning
  double measuring_seconds = 0;                ///< measuring
  std::optional<NetworkTotals> network{};      ///< of the network engine
};

/// Called now and then with the interactions done.
using Progress = std::function<void(std::uint64_t done)>;

[[nodiscard]] Outcome run(const Experiment& experiment, Workers& workers, const Progress& progress = {});

}  // namespace popsgd::sim
