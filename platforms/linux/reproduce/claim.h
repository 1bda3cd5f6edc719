// A claim of the paper's abstract, re-done.
#pragma once

#include "report/report.h"

#include <popsgd/sim/algorithm.h>
#include <popsgd/sim/network.h>
#include <popsgd/sim/workers.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace popsgd::command {

/// How to go about it.
struct Effort {
  bool quick = false;  ///< all claims together in under a minute, with wider error bars
  std::uint64_t seed = 1;
  sim::Workers& workers;
  std::function<void(double share)> progress;  ///< called with 0 .. 1
};

/// What came of it: theory beside measurement.
struct Finding {
  std::vector<Table> tables;
  std::vector<Plot> plots;
  bool holds = false;
  std::string verdict;  ///< the sentence that says so, with the figures it rests on
};

struct Claim {
  std::string_view name;
  std::string_view statement;  ///< what is claimed
  Finding (*test)(const Effort&);
};

/// convex, non-convex, linear-speedup, concentration, comparison; and byzantine, quantized and fixed-point, which the
/// abstract does not claim.
[[nodiscard]] std::span<const Claim> claims();

Finding test_convex(const Effort& effort);
Finding test_non_convex(const Effort& effort);
Finding test_linear_speedup(const Effort& effort);
Finding test_concentration(const Effort& effort);
Finding test_comparison(const Effort& effort);
Finding test_byzantine(const Effort& effort);
Finding test_quantized(const Effort& effort);
Finding test_fixed_point(const Effort& effort);

/// An algorithm with all that it refers to, for claims that run many.
class Trial {
 public:
  Trial(std::string_view algorithm, const sim::Problem& problem, sim::Settings settings,
        std::string_view topology, std::string_view shards, sim::Workers& workers)
      : settings_(std::move(settings)),
        topology_(sim::Topology::make(topology, settings_.agents, settings_.seed)),
        shards_(sim::Shards::make(shards, problem.train(), settings_.agents, settings_.seed)),
        algorithm_(sim::make_algorithm(algorithm, problem, settings_, topology_, shards_, workers)) {}
  /// By devices' own agents.
  Trial(const sim::Problem& problem, sim::Settings settings, std::string_view topology,
        std::string_view shards, const sim::NetworkSettings& network)
      : settings_(std::move(settings)),
        topology_(sim::Topology::make(topology, settings_.agents, settings_.seed)),
        shards_(sim::Shards::make(shards, problem.train(), settings_.agents, settings_.seed)),
        algorithm_(sim::make_network(problem, settings_, topology_, shards_, network)) {}
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  sim::Algorithm* operator->() const { return algorithm_.get(); }
  sim::Algorithm& operator*() const { return *algorithm_; }

 private:
  const sim::Settings settings_;
  const sim::Topology topology_;
  const sim::Shards shards_;
  const std::unique_ptr<sim::Algorithm> algorithm_;
};

/// The mean of an algorithm's models, in double.
[[nodiscard]] std::vector<double> mean_of_models(const sim::Algorithm& algorithm);

/// Slope of the least-squares line through (log x, log y).
[[nodiscard]] double log_log_slope(std::span<const double> x, std::span<const double> y);

}  // namespace popsgd::command
