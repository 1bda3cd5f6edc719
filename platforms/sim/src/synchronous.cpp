#include "synchronous.h"

#include <atomic>

namespace popsgd::sim {

Synchronous::Synchronous(const Problem& problem, const Settings& settings, const Shards& shards,
                         Workers& workers, std::uint32_t models)
    : problem_(problem),
      settings_(settings),
      workers_(workers),
      swarm_(models, problem.parameters()),
      trainer_(problem, settings, shards, models, workers.count()) {
  swarm_.initialise(problem);
}

void Synchronous::run_until(std::uint64_t interactions) {
  const std::uint64_t each = 2 * std::uint64_t{settings_.local_steps.mean};
  while (rounds_ * cost().evaluations < interactions * each && !diverged_at_) {
    const bool finite = round(rounds_);
    ++rounds_;
    if (!finite) diverged_at_ = rounds_ * cost().evaluations / each;
  }
}

Account Synchronous::account() const {
  const auto [evaluations, models_sent, agents] = cost();
  const double steps = static_cast<double>(rounds_ * evaluations) / agents;
  return {.interactions = 0,
          .gradient_evaluations = rounds_ * evaluations,
          .parallel_time = steps / settings_.local_steps.mean,
          .bytes = rounds_ * models_sent * sizeof(float) * problem_.parameters(),
          .models_sent = rounds_ * models_sent};
}

bool Synchronous::all_step(std::uint64_t number) {
  std::atomic<bool> finite{true};
  workers_.for_each(swarm_.agents(), [&](std::size_t worker, std::size_t k) {
    const auto agent = static_cast<std::uint32_t>(k);
    const std::uint32_t steps = settings_.local_steps.mean;
    if (!trainer_.step(worker, agent, swarm_[agent], agent, draw(number, agent), 0, steps).finite)
      finite = false;
  });
  return finite;
}

}  // namespace popsgd::sim
