// Least squares: the time at which the mean model reaches an error of 1e-3, each n with its own best constant step.
#include "format.h"
#include "reproduce/claim.h"

#include <popsgd/sim/theory.h>

#include <algorithm>
#include <cmath>

namespace popsgd::command {
namespace {

constexpr double kEpsilon = 1e-3;
constexpr std::size_t kLooks = 12;

double squared_norm(std::span<const double> x) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  return sum;
}

// Parallel time: interactions / (n/2), or steps when n = 1.
double parallel(std::uint64_t agents, double interactions) {
  return agents == 1 ? interactions : interactions / (static_cast<double>(agents) / 2);
}

// E |mu - x*|^2 at each of the times, averaged over repeats.
std::vector<double> measured_errors(const sim::Problem& problem, std::uint32_t agents, double eta,
                                    std::span<const std::uint64_t> times, int repeats, const Effort& effort) {
  std::vector<std::vector<double>> errors(static_cast<std::size_t>(repeats),
                                          std::vector<double>(times.size()));
  effort.workers.for_each(errors.size(), [&](std::size_t, std::size_t repeat) {
    sim::Workers alone(1);
    sim::Settings settings{.agents = std::max(2U, agents),
                           .batch = 1,
                           .seed = (effort.seed * 1'000 + agents) * 1'000'003 + repeat};
    settings.schedule.eta = static_cast<float>(eta);
    const Trial trial(agents == 1 ? "sgd" : "popsgd", problem, settings, "complete", "shared", alone);
    for (std::size_t k = 0; k < times.size(); ++k) {
      // Plain SGD spends one gradient a step where an interaction spends two.
      trial->run_until(agents == 1 ? times[k] / 2 : times[k]);
      errors[repeat][k] = squared_norm(mean_of_models(*trial));
    }
  });
  std::vector<double> mean(times.size());
  for (std::size_t k = 0; k < times.size(); ++k) {
    for (const auto& run : errors) mean[k] += run[k] / repeats;
  }
  return mean;
}

// Where a line through (log time, log error) crosses epsilon.
double crossing(std::span<const std::uint64_t> times, std::span<const double> errors) {
  std::vector<double> x(times.begin(), times.end());
  const double slope = log_log_slope(x, errors);
  double level = 0;
  for (std::size_t k = 0; k < x.size(); ++k) level += std::log(errors[k]) - slope * std::log(x[k]);
  level /= static_cast<double>(x.size());
  return std::exp((std::log(kEpsilon) - level) / slope);
}

}  // namespace

Finding test_linear_speedup(const Effort& effort) {
  const sim::Problem problem(sim::DataSpec::parse("least-squares:d=32,noise=1"), "", effort.seed);
  const double start = 1 / std::sqrt(32.0);
  const int repeats = effort.quick ? 150 : 1000;
  Table table{.title = "Parallel time until E|mu - x*|^2 = 1e-3",
              .columns = {"n", "best step", "theory", "measured", "ratio", "speed-up"},
              .rows = {},
              .note = "d = 32, kappa = 10, sigma = 1, start at distance 1; mean of " +
                      std::to_string(repeats) + " runs. Theory: exact second moments."};
  std::vector<double> n_values;
  std::vector<double> theory;
  std::vector<double> measured;
  for (std::uint32_t n = 1; n <= 256; n *= 2) {
    effort.progress(static_cast<double>(n_values.size()) / 9);
    const auto best = sim::best_constant_step(n, problem.quadratic()->curvature(), problem.noise_variance(),
                                              start, kEpsilon);
    std::vector<std::uint64_t> times;
    for (std::size_t k = 0; k < kLooks; ++k) {
      const double share = 0.9 + 0.2 * static_cast<double>(k) / (kLooks - 1);
      times.push_back(2 * static_cast<std::uint64_t>(share * static_cast<double>(best.interactions) / 2));
    }
    const auto errors = measured_errors(problem, n, best.eta, times, repeats, effort);
    n_values.push_back(n);
    theory.push_back(parallel(n, static_cast<double>(best.interactions)));
    measured.push_back(parallel(n, crossing(times, errors)));
    table.rows.push_back({std::to_string(n), significant(best.eta), fixed(theory.back(), 0),
                          fixed(measured.back(), 0), fixed(measured.back() / theory.back(), 3),
                          fixed(measured.front() / measured.back(), 1)});
  }
  const double slope = log_log_slope(n_values, measured);
  Finding finding;
  finding.holds = std::fabs(slope + 1) <= 0.02;
  finding.verdict = "slope of log time against log n: " + fixed(slope, 3) + " measured, " +
                    fixed(log_log_slope(n_values, theory), 3) +
                    " by theory; linear speed-up is -1.00 (+- 0.02)";
  finding.tables.push_back(std::move(table));
  finding.plots.push_back(
      {.title = "Time to an error of 1e-3",
       .y_label = "parallel time",
       .y_log = true,
       .x_axes = {{.label = "agents", .log = true}},
       .lines = {{.label = "measured", .style = LineStyle::points, .x = {n_values}, .y = measured},
                 {.label = "theory", .style = LineStyle::dashed, .x = {n_values}, .y = theory}}});
  return finding;
}

}  // namespace popsgd::command
