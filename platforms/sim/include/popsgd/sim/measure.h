// What is measured of a swarm while it learns.
#pragma once

#include <popsgd/sim/algorithm.h>
#include <popsgd/sim/problem.h>
#include <popsgd/sim/workers.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace popsgd::sim {

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// Least, middle and greatest of the agents' values.
struct Spread {
  double min = kUnknown;
  double median = kUnknown;
  double max = kUnknown;
};

/// The swarm at one moment.
struct Measurement {
  Account account{};
  float rate = 0;           ///< step size at the average number of steps
  Score mean_model{};       ///< of the average of all models
  Spread agent_loss{};      ///< over the scored agents
  Spread agent_accuracy{};  ///< NaN without classes
  double gamma = kUnknown;  ///< sum_i |x_i - mu|^2
  double gamma_theory = kUnknown;
  Spread distance{};            ///< of all agents from the mean model: |x_i - mu|
  std::vector<Score> agents{};  ///< of the scored agents
  std::size_t rows_scored = 0;  ///< test rows each of them was scored on
};

/// Scores models on the test set and measures their concentration.
class Meter {
 public:
  /// `problem` and `workers` must outlive the object.
  Meter(const Problem& problem, Workers& workers);

  /// The mean model is scored on the whole test set. Agents: every one, or evenly spaced ones so that scoring them
  /// costs at most about `budget` multiplications; then also on fewer rows, but at least 1000.
  [[nodiscard]] Measurement measure(const Algorithm& algorithm, double budget);

  /// A glance while learning goes on (a fraction of a second), and the look at the end.
  static constexpr double kGlance = 4e9;
  static constexpr double kThorough = 1e11;

  /// The mean of all models, as of the last measure().
  [[nodiscard]] ConstParams mean() const { return mean_; }

 private:
  void measure_gamma(const Algorithm& algorithm, Measurement& result);
  void score_agents(const Algorithm& algorithm, double budget, Measurement& result);

  const Problem& problem_;
  Workers& workers_;
  std::vector<double> sums_;
  std::vector<float> mean_;
  std::vector<std::vector<float>> scratch_;  // of each worker
};

}  // namespace popsgd::sim
