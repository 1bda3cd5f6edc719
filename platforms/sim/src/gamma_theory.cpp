#include "gamma_theory.h"

#include <popsgd/merge.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace popsgd::sim {
namespace {

bool moments_known(const Problem& problem, const Settings& settings, const Topology& topology) {
  return problem.quadratic() != nullptr && settings.schedule.shape == Schedule::Shape::constant &&
         settings.sgd.momentum == 0 && settings.local_steps.mean == 1 && settings.merge == Merge::average &&
         settings.speeds.empty() && topology.complete();
}

double start_of(const Problem& problem) {
  std::vector<float> x(problem.parameters());
  problem.initialise(x);
  return static_cast<double>(x[0]);
}

}  // namespace

float average_rate(const Settings& settings, std::uint64_t interactions) {
  const double steps = 2.0 * static_cast<double>(interactions) * settings.local_steps.mean / settings.agents;
  return settings.schedule.rate(StepCounter(static_cast<std::uint64_t>(steps)));
}

GammaTheory::GammaTheory(const Problem& problem, const Settings& settings, const Topology& topology,
                         const Shards& shards)
    : problem_(problem),
      settings_(settings),
      sampler_(problem, shards, settings.batch, problem.gradient(settings.batch).scratch,
               Random::key(settings.seed, Purpose::measurement)),
      contraction_(topology.complete()
                       ? 1.0 / (settings.agents - 1.0)
                       : topology.spectral_gap() / (2 * static_cast<double>(topology.edges()))) {
  if (!moments_known(problem, settings, topology)) return;
  std::vector<float> curvature(problem.quadratic()->curvature().begin(),
                               problem.quadratic()->curvature().end());
  for (float& a : curvature) a += settings.sgd.weight_decay;
  exact_.emplace(settings.agents, curvature, problem.noise_variance() / static_cast<double>(settings.batch),
                 static_cast<double>(settings.schedule.eta), start_of(problem));
}

double GammaTheory::advance(const Algorithm& algorithm, std::uint64_t interactions) {
  const std::uint64_t more = interactions - done_;
  done_ = interactions;
  if (exact_) {
    exact_->advance(more);
    return exact_->gamma();
  }
  const double n = settings_.agents;
  const double v = step_variance(algorithm, interactions);
  const double gain = settings_.merge == Merge::average ? v * (n - 2) / n : 2 * v * (n - 1) / n;
  const double steady = gain / contraction_;
  gamma_ = steady + std::pow(1 - contraction_, static_cast<double>(more)) * (gamma_ - steady);
  return gamma_;
}

double GammaTheory::step_variance(const Algorithm& algorithm, std::uint64_t interactions) {
  constexpr std::uint32_t samples = 64;
  const Gradient gradient = problem_.gradient(settings_.batch);
  std::vector<float> g(problem_.parameters());
  std::vector<float> sum(problem_.parameters());
  const std::vector<float> zero(problem_.parameters());
  double squares = 0;
  for (std::uint32_t k = 0; k < samples; ++k) {
    const auto agent = static_cast<std::uint32_t>(std::uint64_t{k} * settings_.agents / samples);
    const Batch& batch = sampler_.draw(agent, draws_++, 0, 0);
    gradient(algorithm.model(agent), batch, 0, 1, g, sampler_.scratch());
    squares += squared_distance(g, zero);
    for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += g[c];
  }
  // H steps of mean gradient m and second moment q: E |sum|^2 = H q + E[H (H - 1)] |m|^2, the latter 2 H (H - 1) when H
  // is geometric; |m|^2 without bias from the samples.
  const double q = squares / samples;
  const double h = settings_.local_steps.mean;
  const double cross = (squared_distance(sum, zero) - squares) / std::max(1.0, samples * (samples - 1.0));
  const double pairs = h * (h - 1) * (settings_.local_steps.geometric ? 2 : 1);
  const auto eta = static_cast<double>(average_rate(settings_, interactions));
  return eta * eta * (h * q + pairs * std::max(0.0, cross));
}

}  // namespace popsgd::sim
