#include "quantised/quantised_population.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <string>

namespace popsgd::sim {
namespace {

constexpr std::size_t kAtATime = 4096;  // interactions handled at a time
constexpr std::size_t kRemembered = 4;

}  // namespace

QuantisedPopulation::QuantisedPopulation(const Problem& problem, const Settings& settings,
                                         const Topology& topology, const Shards& shards, Workers& workers)
    : problem_(problem),
      settings_(settings),
      workers_(workers),
      sequence_(topology, settings.speeds, settings.seed),
      step_count_(settings.local_steps, settings.seed),
      names_(Random::key(settings.seed, Purpose::exchange)),
      trainer_(problem, settings, shards, settings.agents, workers.count()),
      fixed_trainers_(make_fixed_trainers(problem, settings, shards, workers.count())),
      float_layout_(float_layout(problem)),
      shown_(settings.agents, problem.parameters()),
      queue_(settings.agents, workers.count(), kRemembered) {
  if (settings.merge != Merge::average)
    throw Error("--merge delta exchanges float32 models without --quantize; use --merge average");
  for (std::size_t k = 0; k < workers.count(); ++k) {
    tallies_.push_back(
        {.exchange = make_exchange(settings.encoding, !settings.numerics.empty(), problem.parameters())});
  }
  make_agents();
  show();
}

void QuantisedPopulation::make_agents() {
  for (std::uint32_t k = 0; k < settings_.agents; ++k) {
    const Numeric kind = settings_.numerics.empty() ? Numeric::float32 : settings_.numerics[k];
    const auto& fixed = fixed_trainers_[static_cast<std::size_t>(kind)];
    agents_.push_back({.model = Model(kind, fixed ? fixed->layout() : Layout(float_layout_)),
                       .noise = Random(settings_.seed, Purpose::local_steps, 1 + k)});
    LearningAgent& agent = agents_.back();
    if (fixed)
      fixed->initialise(agent.model);
    else
      problem_.initialise(agent.model.as<float>());
    tallies_[0].exchange->prepare(agent);
  }
}

Account QuantisedPopulation::account() const {
  Toll toll;
  std::uint64_t steps = 0;
  for (const Tally& tally : tallies_) {
    toll += tally.toll;
    steps += tally.steps;
  }
  return {.interactions = done_,
          .gradient_evaluations = steps,
          .parallel_time = 2 * static_cast<double>(done_) / settings_.agents,
          .bytes = toll.bytes,
          .models_sent = 2 * done_,
          .wrapped = toll.wrapped,
          .saturated = toll.saturated};
}

void QuantisedPopulation::run_until(std::uint64_t interactions) {
  std::vector<Pair> pairs(kAtATime);
  while (done_ < interactions && !diverged_at_) {
    const auto chunk = std::span(pairs).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(pairs.size(), interactions - done_)));
    sequence_.fill(done_, chunk);
    run_chunk(chunk);
    done_ += chunk.size();
    if (first_bad_ != UINT64_MAX) diverged_at_ = first_bad_ + 1;
  }
  show();
}

void QuantisedPopulation::run_chunk(std::span<const Pair> pairs) {
  queue_.start(pairs);
  workers_.run([&](std::size_t worker) {
    for (auto taken = queue_.take(worker, 1); !taken.empty(); taken = queue_.take(worker, 1)) {
      for (const std::uint32_t k : taken) interact(worker, pairs[k], done_ + k);
    }
  });
}

void QuantisedPopulation::interact(std::size_t worker, Pair pair, std::uint64_t t) {
  take_steps(worker, pair.initiator, t, 0);
  take_steps(worker, pair.responder, t, 1);
  trainer_.average_counters(pair.initiator, pair.responder);
  const std::uint32_t name =
      names_.block(static_cast<std::uint32_t>(t), static_cast<std::uint32_t>(t >> 32))[0];
  Tally& tally = tallies_[worker];
  tally.toll += tally.exchange->meet(agents_[pair.initiator], agents_[pair.responder], name);
}

void QuantisedPopulation::take_steps(std::size_t worker, std::uint32_t agent, std::uint64_t t,
                                     std::uint32_t lane) {
  auto& [model, noise, estimates, distant, reference] = agents_[agent];
  Tally& tally = tallies_[worker];
  const std::uint64_t steps = step_count_.at(t, lane);
  if (!model.integer()) {
    const auto [taken, finite] = trainer_.step(worker, agent, model.as<float>(), agent, t, lane, steps);
    tally.steps += taken;
    std::uint64_t first = first_bad_.load();
    while (!finite && t < first && !first_bad_.compare_exchange_weak(first, t)) {
    }
    return;
  }
  FixedTrainer& fixed = *fixed_trainers_[static_cast<std::size_t>(model.kind())];
  for (std::uint64_t step = 0; step < steps && !trainer_.settled(agent); ++step) {
    const FixedRate rate = FixedRate::from(static_cast<double>(trainer_.rate(agent)));
    tally.toll.saturated += fixed.step(worker, model, agent, t, lane, step, rate, noise);
    trainer_.count_step(agent);
    ++tally.steps;
  }
}

void QuantisedPopulation::show() {
  workers_.for_each(agents_.size(), [&](std::size_t, std::size_t k) {
    agents_[k].model.to_floats(shown_[static_cast<std::uint32_t>(k)]);
  });
}

}  // namespace popsgd::sim
