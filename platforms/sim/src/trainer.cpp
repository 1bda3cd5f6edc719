#include "trainer.h"

#include <cmath>

namespace popsgd::sim {

Trainer::Trainer(const Problem& problem, const Settings& settings, const Shards& shards, std::uint32_t models,
                 std::size_t workers)
    : settings_(settings), gradient_(problem.gradient(settings.batch)) {
  const std::size_t scratch = settings.sgd.scratch_size(gradient_);
  samplers_.reserve(workers);
  for (std::size_t k = 0; k < workers; ++k) {
    samplers_.emplace_back(problem, shards, settings.batch, scratch, Sampler::training(settings.seed));
  }
  if (settings.sgd.momentum > 0) velocities_.emplace(models, gradient_.parameters);
  if (settings.schedule.shape != Schedule::Shape::constant) counters_.resize(models);
}

Trainer::Steps Trainer::step(std::size_t worker, std::uint32_t model, Params x, std::uint32_t agent,
                             std::uint64_t draw, std::uint32_t lane, std::uint64_t steps) {
  Sampler& sampler = samplers_[worker];
  const Params velocity = velocities_ ? (*velocities_)[model] : Params{};
  bool finite = true;
  std::uint64_t step = 0;
  for (; step < steps && !settled(model); ++step) {
    const Batch& batch = sampler.draw(agent, draw, lane, step);
    finite &=
        std::isfinite(settings_.sgd.step(gradient_, batch, rate(model), x, velocity, sampler.scratch()));
    count_step(model);
  }
  return {step, finite};
}

bool Trainer::add_gradient(std::size_t worker, ConstParams at, std::uint32_t agent, std::uint64_t draw,
                           float keep, float scale, Params into) {
  Sampler& sampler = samplers_[worker];
  const Batch& batch = sampler.draw(agent, draw, 0, 0);
  return std::isfinite(gradient_(at, batch, keep, scale, into, sampler.scratch()));
}

}  // namespace popsgd::sim
