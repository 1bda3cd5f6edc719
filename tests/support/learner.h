// A swarm that learns, with all that it refers to.
#pragma once

#include <popsgd/sim/algorithm.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace popsgd::test {

/// Who meets whom, who has which rows, and on how many threads.
struct Surroundings {
  std::string_view topology = "complete";
  std::string_view shards = "shared";
  std::size_t workers = 1;
};

/// An algorithm by name. The problem must outlive it.
class Learner {
 public:
  Learner(std::string_view algorithm, const sim::Problem& problem, sim::Settings settings,
          const Surroundings& around = {})
      : settings_(std::move(settings)),
        topology_(sim::Topology::make(around.topology, settings_.agents, settings_.seed)),
        shards_(sim::Shards::make(around.shards, problem.train(), settings_.agents, settings_.seed)),
        workers_(around.workers),
        algorithm_(sim::make_algorithm(algorithm, problem, settings_, topology_, shards_, workers_)) {}

  sim::Algorithm* operator->() { return algorithm_.get(); }
  const sim::Algorithm* operator->() const { return algorithm_.get(); }
  [[nodiscard]] const sim::Topology& topology() const { return topology_; }
  [[nodiscard]] const sim::Shards& shards() const { return shards_; }

  /// All models end to end.
  [[nodiscard]] std::vector<float> models() const {
    std::vector<float> all;
    for (std::uint32_t k = 0; k < algorithm_->models(); ++k) {
      all.insert(all.end(), algorithm_->model(k).begin(), algorithm_->model(k).end());
    }
    return all;
  }

  /// mu = (1/n) sum_i x_i.
  [[nodiscard]] std::vector<double> mean() const {
    std::vector<double> mu(algorithm_->model(0).size());
    for (std::uint32_t i = 0; i < algorithm_->models(); ++i) {
      for (std::size_t k = 0; k < mu.size(); ++k) mu[k] += static_cast<double>(algorithm_->model(i)[k]);
    }
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
  sim::Workers workers_;
  std::unique_ptr<sim::Algorithm> algorithm_;
};

}  // namespace popsgd::test
