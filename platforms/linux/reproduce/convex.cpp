// Convergence on convex objectives: least squares, where theory is exact, and logistic regression.
#include "format.h"
#include "reproduce/claim.h"
#include "reproduce/full_batch.h"

#include <popsgd/sim/theory.h>

#include <algorithm>
#include <cmath>

namespace popsgd::command {
namespace {

struct LeastSquares {
  Table table;
  Plot plot;
  double worst = 0;  // deviation from theory in standard errors
};

LeastSquares least_squares(const Effort& effort) {
  constexpr std::uint32_t kAgents = 16;
  constexpr float kEta = 0.05F;
  const std::size_t repeats = effort.quick ? 200 : 2000;
  const sim::Problem problem(sim::DataSpec::parse("least-squares:d=32,noise=1"), "", effort.seed);
  std::vector<std::uint64_t> times;
  for (std::uint64_t t = 16; t <= 16384; t *= 2) times.push_back(t);

  std::vector<std::vector<double>> errors(repeats, std::vector<double>(times.size()));
  effort.workers.for_each(repeats, [&](std::size_t, std::size_t repeat) {
    sim::Workers alone(1);
    sim::Settings settings{.agents = kAgents, .batch = 1, .seed = effort.seed * 1'000'003 + repeat};
    settings.schedule.eta = kEta;
    const Trial trial("popsgd", problem, settings, "complete", "shared", alone);
    for (std::size_t k = 0; k < times.size(); ++k) {
      trial->run_until(times[k]);
      for (const double value : mean_of_models(*trial)) errors[repeat][k] += value * value;
    }
  });

  LeastSquares result{.table = {.title = "Least squares: E|mu - x*|^2",
                                .columns = {"parallel time", "theory", "measured", "standard error", "ratio"},
                                .rows = {},
                                .note = "n = 16, eta = 0.05, d = 32, kappa = 10, sigma = 1; mean of " +
                                        std::to_string(repeats) + " runs. Theory: exact second moments."},
                      .plot = {}};
  sim::QuadraticMoments moments(kAgents, problem.quadratic()->curvature(), problem.noise_variance(),
                                static_cast<double>(kEta), 1 / std::sqrt(32.0));
  std::vector<double> x;
  std::vector<double> theory;
  std::vector<double> measured;
  for (std::size_t k = 0; k < times.size(); ++k) {
    moments.advance(k == 0 ? times[0] : times[k] - times[k - 1]);
    double mean = 0;
    double squares = 0;
    for (const auto& run : errors) {
      mean += run[k] / static_cast<double>(repeats);
      squares += run[k] * run[k] / static_cast<double>(repeats);
    }
    const double error = std::sqrt((squares - mean * mean) / static_cast<double>(repeats - 1));
    x.push_back(static_cast<double>(times[k]) / (kAgents / 2.0));
    theory.push_back(moments.mean_error());
    measured.push_back(mean);
    result.worst = std::max(result.worst, std::fabs(mean - moments.mean_error()) / error);
    result.table.rows.push_back({significant(x.back()), significant(theory.back()), significant(mean),
                                 percent(error / mean, 2), fixed(mean / theory.back(), 3)});
  }
  result.plot = {.title = "Least squares: error of the mean model",
                 .y_label = "E|μ − x*|²",
                 .y_log = true,
                 .x_axes = {{.label = "parallel time", .log = true}},
                 .lines = {{.label = "measured", .style = LineStyle::points, .x = {x}, .y = measured},
                           {.label = "theory", .style = LineStyle::dashed, .x = {x}, .y = theory}}};
  return result;
}

struct Logistic {
  Table table;
  Plot plot;
  double slope = 0;
};

Logistic logistic(const Effort& effort) {
  const sim::Problem problem(sim::DataSpec::parse("logistic:d=16,samples=8000,signal=2"), "logistic",
                             effort.seed);
  FullBatch objective(problem);
  const double optimum = objective.minimise();
  const std::uint64_t longest = effort.quick ? 80'000 : 320'000;
  sim::Settings settings{.agents = 16, .batch = 1, .seed = effort.seed};
  settings.schedule = {.shape = Schedule::Shape::inverse, .eta = 0.5F, .horizon = 40};
  std::vector<std::uint64_t> times;
  for (std::uint64_t t = longest / 32; t <= longest; t *= 2) times.push_back(t);
  constexpr std::size_t kRepeats = 16;
  std::vector<std::vector<double>> excess(kRepeats, std::vector<double>(times.size()));
  effort.workers.for_each(kRepeats, [&](std::size_t, std::size_t repeat) {
    sim::Workers alone(1);
    sim::Settings own = settings;
    own.seed = effort.seed * 1'000'003 + repeat;
    const Trial trial("popsgd", problem, own, "complete", "iid", alone);
    FullBatch scorer(problem);
    for (std::size_t k = 0; k < times.size(); ++k) {
      trial->run_until(times[k]);
      excess[repeat][k] = scorer.loss(mean_of_models(*trial)) - optimum;
    }
  });

  Logistic result{
      .table = {.title = "Logistic regression: excess training loss of the mean model",
                .columns = {"parallel time", "excess loss", "times parallel time"},
                .rows = {},
                .note = "n = 16, d = 16, step size 0.5 / (1 + t/40), mean of 16 runs; the optimum by "
                        "full-batch descent. Theory: proportional to 1/t, so the last column is constant."},
      .plot = {}};
  std::vector<double> x;
  std::vector<double> y;
  for (std::size_t k = 0; k < times.size(); ++k) {
    double mean = 0;
    for (const auto& run : excess) mean += run[k] / kRepeats;
    x.push_back(static_cast<double>(times[k]) / 8);
    y.push_back(mean);
    result.table.rows.push_back({significant(x.back()), significant(mean), significant(mean * x.back())});
  }
  result.slope = log_log_slope(x, y);
  const double anchor = y.back() * x.back();
  std::vector<double> theory(x.size());
  std::transform(x.begin(), x.end(), theory.begin(), [&](double t) { return anchor / t; });
  result.plot = {.title = "Logistic regression: excess loss",
                 .y_label = "f(μ) − f*",
                 .y_log = true,
                 .x_axes = {{.label = "parallel time", .log = true}},
                 .lines = {{.label = "measured", .style = LineStyle::points, .x = {x}, .y = y},
                           {.label = "1/t", .style = LineStyle::dashed, .x = {x}, .y = theory}}};
  return result;
}

}  // namespace

Finding test_convex(const Effort& effort) {
  LeastSquares quadratic = least_squares(effort);
  effort.progress(0.5);
  Logistic regression = logistic(effort);
  Finding finding;
  // Eleven correlated comparisons: 4 standard errors are exceeded by chance in fewer than 1 of 1,000 runs.
  finding.holds = quadratic.worst < 4 && regression.slope < -0.8;
  finding.verdict = "least squares agrees with the exact theory to " + fixed(quadratic.worst, 1) +
                    " standard errors (at most 4); logistic regression: excess loss falls as t^" +
                    fixed(regression.slope, 2) + " (theory -1, at most -0.8)";
  finding.tables = {std::move(quadratic.table), std::move(regression.table)};
  finding.plots = {std::move(quadratic.plot), std::move(regression.plot)};
  return finding;
}

}  // namespace popsgd::command
