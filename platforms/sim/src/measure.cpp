#include "mean.h"

#include <popsgd/merge.h>
#include <popsgd/sim/measure.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace popsgd::sim {
namespace {

Spread spread(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {values.front(), median, values.back()};
}

template <typename Value>
Spread spread(const std::vector<Score>& scores, Value value) {
  std::vector<double> values(scores.size());
  std::transform(scores.begin(), scores.end(), values.begin(), value);
  return spread(std::move(values));
}

}  // namespace

Meter::Meter(const Problem& problem, Workers& workers)
    : problem_(problem),
      workers_(workers),
      sums_(problem.parameters()),
      mean_(problem.parameters()),
      scratch_(workers.count(), std::vector<float>(problem.score_scratch())) {}

Measurement Meter::measure(const Algorithm& algorithm, double budget) {
  Measurement result;
  result.account = algorithm.account();
  mean_model(
      algorithm.models(), mean_.size(), [&](std::uint32_t k) { return algorithm.model(k); }, workers_, sums_);
  std::transform(sums_.begin(), sums_.end(), mean_.begin(), [](double x) { return static_cast<float>(x); });
  result.mean_model = problem_.score(mean_, problem_.test().rows, scratch_[0]);
  measure_gamma(algorithm, result);
  score_agents(algorithm, budget, result);
  return result;
}

void Meter::measure_gamma(const Algorithm& algorithm, Measurement& result) {
  // Blocks of agents of a fixed size, added in order: the same sum for any number of threads.
  constexpr std::uint32_t kBlock = 64;
  const std::uint32_t models = algorithm.models();
  std::vector<double> sums((models + kBlock - 1) / kBlock);
  std::vector<double> distances(models);
  workers_.for_each(sums.size(), [&](std::size_t, std::size_t block) {
    const auto first = static_cast<std::uint32_t>(block) * kBlock;
    for (std::uint32_t k = first; k < std::min(first + kBlock, models); ++k) {
      const double square = squared_distance(algorithm.model(k), mean_);
      sums[block] += square;
      distances[k] = std::sqrt(square);
    }
  });
  result.gamma = std::accumulate(sums.begin(), sums.end(), 0.0);
  result.distance = spread(std::move(distances));
}

void Meter::score_agents(const Algorithm& algorithm, double budget, Measurement& result) {
  const double row_cost = static_cast<double>(problem_.parameters());
  const std::size_t all_rows = std::max<std::size_t>(1, problem_.test().rows);
  const std::size_t least_rows = std::min<std::size_t>(1000, all_rows);
  const double affordable = budget / (row_cost * static_cast<double>(least_rows));
  const std::uint32_t models = algorithm.models();
  const auto scored =
      static_cast<std::uint32_t>(std::clamp<double>(affordable, std::min(models, 16U), models));
  const std::size_t rows = std::clamp<std::size_t>(
      static_cast<std::size_t>(budget / (row_cost * static_cast<double>(scored))), least_rows, all_rows);
  result.rows_scored = problem_.test().rows == 0 ? 0 : rows;
  result.agents.resize(scored);
  workers_.for_each(scored, [&](std::size_t worker, std::size_t k) {
    const auto agent = static_cast<std::uint32_t>(std::uint64_t{k} * models / scored);
    result.agents[k] = problem_.score(algorithm.model(agent), rows, scratch_[worker]);
  });
  result.agent_loss = spread(result.agents, [](const Score& score) { return score.loss; });
  if (problem_.classifies()) {
    result.agent_accuracy = spread(result.agents, [](const Score& score) { return score.accuracy; });
  }
}

}  // namespace popsgd::sim
