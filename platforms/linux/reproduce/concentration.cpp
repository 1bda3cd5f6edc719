// Pure noise: nothing pulls the models together but averaging. Gamma against its closed form.
#include "format.h"
#include "reproduce/claim.h"

#include <popsgd/merge.h>
#include <popsgd/sim/theory.h>

#include <algorithm>
#include <cmath>

namespace popsgd::command {
namespace {

constexpr float kEta = 0.1F;

double gamma_of(const sim::Algorithm& algorithm) {
  const std::vector<double> exact = mean_of_models(algorithm);
  const std::vector<float> mean(exact.begin(), exact.end());
  double gamma = 0;
  for (std::uint32_t k = 0; k < algorithm.models(); ++k) gamma += squared_distance(algorithm.model(k), mean);
  return gamma;
}

struct Estimate {
  double mean;
  double error;  // standard error, by batch means
};

Estimate estimate(std::span<const double> samples) {
  constexpr std::size_t kBatches = 30;
  const std::size_t length = samples.size() / kBatches;
  std::vector<double> means(kBatches);
  double total = 0;
  for (std::size_t b = 0; b < kBatches; ++b) {
    for (std::size_t k = 0; k < length; ++k)
      means[b] += samples[b * length + k] / static_cast<double>(length);
    total += means[b] / kBatches;
  }
  double variance = 0;
  for (const double m : means) variance += (m - total) * (m - total) / (kBatches - 1);
  return {total, std::sqrt(variance / kBatches)};
}

// Samples n/2 interactions apart until the standard error is small enough.
Estimate stationary_gamma(const sim::Problem& problem, std::uint32_t n, double accuracy,
                          const Effort& effort) {
  sim::Workers alone(1);
  sim::Settings settings{.agents = n, .batch = 1, .seed = effort.seed + n};
  settings.schedule.eta = kEta;
  const Trial trial("popsgd", problem, settings, "complete", "shared", alone);
  std::uint64_t t = 20ULL * n;  // twenty relaxation times
  trial->run_until(t);
  std::vector<double> samples;
  Estimate result{};
  do {
    const std::size_t more = std::max<std::size_t>(600, samples.size() / 2);
    for (std::size_t k = 0; k < more; ++k) {
      trial->run_until(t += n / 2);
      samples.push_back(gamma_of(*trial));
    }
    result = estimate(samples);
  } while (result.error > accuracy * result.mean);
  return result;
}

// From agents far apart: Gamma_t / Gamma_0 without steps, against (1 - 1/(n-1))^t.
Line contraction(const sim::Problem& problem, std::uint32_t n, std::vector<double>& theory,
                 std::vector<double>& times, const Effort& effort) {
  // Steps of size 1 first spread the agents; then the step size falls to zero and only averaging is left.
  sim::Settings settings{.agents = n, .batch = 1, .seed = effort.seed};
  settings.clock = sim::Clock::own;
  settings.schedule = {
      .shape = Schedule::Shape::piecewise, .eta = 1, .breakpoint_count = 1, .breakpoints = {}};
  settings.schedule.breakpoints[0] = {0.5, 0};
  sim::Workers alone(1);
  const Trial trial("popsgd", problem, settings, "complete", "shared", alone);
  std::uint64_t t = 5ULL * n;  // by now every agent has taken its one step of size 1
  trial->run_until(t);
  const double start = gamma_of(*trial);
  std::vector<double> measured;
  for (std::uint32_t k = 0; k <= 40; ++k, t += n / 4) {
    trial->run_until(t);
    times.push_back(k / 2.0);
    measured.push_back(gamma_of(*trial) / start);
    theory.push_back(std::pow(1 - 1 / (n - 1.0), k * (n / 4)));
  }
  return {.label = "measured", .style = LineStyle::points, .x = {times}, .y = measured};
}

}  // namespace

Finding test_concentration(const Effort& effort) {
  const sim::Problem problem(sim::DataSpec::parse("noise:d=32,noise=1"), "", effort.seed);
  const double accuracy = effort.quick ? 0.0030 : 0.0015;
  const double v = static_cast<double>(kEta) * static_cast<double>(kEta);
  constexpr std::uint32_t kSizes[] = {4, 8, 16, 32, 64, 256, 1024, 4096};
  std::vector<Estimate> estimates(std::size(kSizes));
  effort.workers.for_each(estimates.size(), [&](std::size_t worker, std::size_t k) {
    const std::size_t large_first = estimates.size() - 1 - k;
    estimates[large_first] = stationary_gamma(problem, kSizes[large_first], accuracy, effort);
    if (worker == 0) effort.progress(static_cast<double>(k) / static_cast<double>(estimates.size()));
  });

  Table table{
      .title = "Stationary Gamma / (n eta^2 sigma^2)",
      .columns = {"n", "theory", "measured", "standard error", "ratio"},
      .rows = {},
      .note = "Theory: (n-1)(n-2)/n^2, exact. Samples n/2 interactions apart after 20 n interactions."};
  Finding finding;
  finding.holds = true;
  double worst = 0;
  std::vector<double> n_values;
  std::vector<double> measured;
  std::vector<double> theory;
  for (std::size_t k = 0; k < estimates.size(); ++k) {
    const double n = kSizes[k];
    const double unit = n * v;
    n_values.push_back(n);
    theory.push_back(sim::stationary_gamma_average(n, v) / unit);
    measured.push_back(estimates[k].mean / unit);
    const double ratio = measured.back() / theory.back();
    if (std::fabs(ratio - 1) > std::fabs(worst - 1) || worst == 0) worst = ratio;
    table.rows.push_back({std::to_string(kSizes[k]), fixed(theory.back(), 5), fixed(measured.back(), 5),
                          percent(estimates[k].error / estimates[k].mean, 2), fixed(ratio, 4)});
  }
  finding.holds = std::fabs(worst - 1) <= 0.01;
  finding.verdict = "the largest deviation of stationary Gamma from its closed form is " +
                    percent(worst - 1, 2) + " (at most 1% allowed), n = 4 to 4096";
  finding.tables.push_back(std::move(table));
  finding.plots.push_back(
      {.title = "Stationary concentration",
       .y_label = "Γ / (n η² σ²)",
       .y_log = false,
       .x_axes = {{.label = "agents", .log = true}},
       .lines = {{.label = "measured", .style = LineStyle::points, .x = {n_values}, .y = measured},
                 {.label = "theory", .style = LineStyle::dashed, .x = {n_values}, .y = theory}}});
  std::vector<double> decay;
  std::vector<double> times;
  Line line = contraction(problem, 1024, decay, times, effort);
  finding.plots.push_back(
      {.title = "Averaging alone, n = 1024",
       .y_label = "Γ / Γ at the start",
       .y_log = true,
       .x_axes = {{.label = "parallel time"}},
       .lines = {std::move(line),
                 {.label = "(1 - 1/(n-1))^t", .style = LineStyle::dashed, .x = {times}, .y = decay}}});
  return finding;
}

}  // namespace popsgd::command
