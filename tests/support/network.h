// A network of agents with what it needs around it.
#pragma once

#include "models_of.h"

#include <popsgd/sim/network.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace popsgd::test {

/// The network engine over a problem that outlives it.
class VirtualNetwork {
 public:
  VirtualNetwork(const sim::Problem& problem, sim::Settings settings, const sim::NetworkSettings& network,
                 std::string_view topology = "complete")
      : settings_(std::move(settings)),
        topology_(sim::Topology::make(topology, settings_.agents, settings_.seed)),
        shards_(sim::Shards::make("shared", problem.train(), settings_.agents, settings_.seed)),
        algorithm_(sim::make_network(problem, settings_, topology_, shards_, network)) {}

  sim::NetworkAlgorithm* operator->() { return algorithm_.get(); }

  [[nodiscard]] std::vector<float> models() const { return models_of(*algorithm_); }
  [[nodiscard]] std::vector<double> mean() const { return mean_of(*algorithm_); }
  [[nodiscard]] double gamma() const { return gamma_of(*algorithm_); }

 private:
  sim::Settings settings_;
  sim::Topology topology_;
  sim::Shards shards_;
  std::unique_ptr<sim::NetworkAlgorithm> algorithm_;
};

}  // namespace popsgd::test
