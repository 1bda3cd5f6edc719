// Convergence on a non-convex objective: the mean squared gradient norm of an MLP along runs of growing length.
#include "format.h"
#include "reproduce/claim.h"
#include "reproduce/full_batch.h"

#include <algorithm>
#include <cmath>

namespace popsgd::command {
namespace {

constexpr std::uint32_t kAgents = 16;
constexpr std::size_t kLooks = 40;

// (1/T) sum over the run of |grad f(mu_t)|^2, by looking kLooks times at even distances.
double mean_squared_gradient(const sim::Problem& problem, std::uint64_t interactions, double eta,
                             std::uint64_t seed) {
  sim::Workers alone(1);
  sim::Settings settings{.agents = kAgents, .batch = 8, .seed = seed};
  settings.schedule.eta = static_cast<float>(eta);
  const Trial trial("popsgd", problem, settings, "complete", "iid", alone);
  FullBatch objective(problem);
  double sum = 0;
  for (std::size_t k = 1; k <= kLooks; ++k) {
    trial->run_until(interactions * k / kLooks);
    sum += objective.squared_gradient_norm(mean_of_models(*trial));
  }
  return sum / kLooks;
}

}  // namespace

Finding test_non_convex(const Effort& effort) {
  const sim::Problem problem(sim::DataSpec::parse("blobs:d=8,classes=4,samples=4000,spread=2"), "mlp:16",
                             effort.seed);
  constexpr std::uint64_t kShortest = 32'000;
  const std::uint64_t longest = effort.quick ? 16 : 64;
  const std::size_t repeats = effort.quick ? 4 : 8;
  constexpr double kEta = 0.035;
  std::vector<double> lengths;
  std::vector<double> measured;
  Table table{.title = "Mean of |grad f(mu_t)|^2 over the run",
              .columns = {"interactions T", "step size", "measured", "times sqrt(T)"},
              .rows = {},
              .note =
                  "MLP 8-16-4 on four overlapping classes, n = 16, batch 8, step size proportional to "
                  "1/sqrt(T), mean of " +
                  std::to_string(repeats) + " runs. Theory: at most proportional to 1/sqrt(T)."};
  for (std::uint64_t factor = 1; factor <= longest; factor *= 4) {
    const std::uint64_t interactions = kShortest * factor;
    const double eta = kEta / std::sqrt(static_cast<double>(factor));
    std::vector<double> norms(repeats);
    effort.workers.for_each(repeats, [&](std::size_t, std::size_t repeat) {
      norms[repeat] = mean_squared_gradient(problem, interactions, eta, effort.seed * 1'000'003 + repeat);
    });
    double mean = 0;
    for (const double norm : norms) mean += norm / static_cast<double>(repeats);
    lengths.push_back(static_cast<double>(interactions));
    measured.push_back(mean);
    table.rows.push_back({thousands(interactions), significant(eta), significant(mean),
                          significant(mean * std::sqrt(lengths.back()))});
    effort.progress(static_cast<double>(factor) / static_cast<double>(longest));
  }
  const double slope = log_log_slope(lengths, measured);
  std::vector<double> theory(lengths.size());
  const double anchor = measured.front() * std::sqrt(lengths.front());
  std::transform(lengths.begin(), lengths.end(), theory.begin(),
                 [&](double t) { return anchor / std::sqrt(t); });
  Finding finding;
  finding.holds = slope <= -0.4;
  finding.verdict = "the mean squared gradient norm falls as T^" + fixed(slope, 2) +
                    "; theory: T^-0.5 or faster (at most -0.4)";
  finding.tables.push_back(std::move(table));
  finding.plots.push_back(
      {.title = "Mean squared gradient norm",
       .y_label = "mean |∇f(μ)|²",
       .y_log = true,
       .x_axes = {{.label = "interactions T", .log = true}},
       .lines = {{.label = "measured", .style = LineStyle::points, .x = {lengths}, .y = measured},
                 {.label = "1/√T", .style = LineStyle::dashed, .x = {lengths}, .y = theory}}});
  return finding;
}

}  // namespace popsgd::command
