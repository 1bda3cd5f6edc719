// A swarm that learns, with all that it refers to.
#pragma once

#include "models_of.h"

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

  [[nodiscard]] std::vector<float> models() const { return models_of(*algorithm_); }
  [[nodiscard]] std::vector<double> mean() const { return mean_of(*algorithm_); }
  [[nodiscard]] double gamma() const { return gamma_of(*algorithm_); }

 private:
  sim::Settings settings_;
  sim::Topology topology_;
  sim::Shards shards_;
  sim::Workers workers_;
  std::unique_ptr<sim::Algorithm> algorithm_;
};

}  // namespace popsgd::test
