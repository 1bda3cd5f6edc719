// A network of agents with what it needs around it.
#pragma once

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

  /// All models end to end.
  [[nodiscard]] std::vector<float> models() const {
    std::vector<float> all;
    for (std::uint32_t k = 0; k < algorithm_->models(); ++k)
      all.insert(all.end(), algorithm_->model(k).begin(), algorithm_->model(k).end());
    return all;
  }

  /// mu = (1/n) sum_i x_i.
  [[nodiscard]] std::vector<double> mean() const {
    std::vector<double> mu(algorithm_->model(0).size());
    for (std::uint32_t i = 0; i < algorithm_->models(); ++i)
      for (std::size_t k = 0; k < mu.size(); ++k) mu[k] += static_cast<double>(algorithm_->model(i)[k]);
    for (double& x : mu) x /= algorithm_->models();
    return mu;
  }

  /// Gamma = sum_i |x_i - mu|^2.
  [[nodiscard]] double gamma() const {
    const std::vector<double> mu = mean();
    double sum = 0;
    for (std::uint32_t i = 0; i < algorithm_->models(); ++i) {
      for (std::size_t k = 0; k < mu.size(); ++k) {
        const double gap = static_cast<double>(algorithm_->model(i)[k]) - mu[k];
        sum += gap * gap;
      }
    }
    return sum;
  }

 private:
  sim::Settings settings_;
  sim::Topology topology_;
  sim::Shards shards_;
  std::unique_ptr<sim::NetworkAlgorithm> algorithm_;
};

}  // namespace popsgd::test
