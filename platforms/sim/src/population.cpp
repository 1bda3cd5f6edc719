#include "population.h"

#include "blocks.h"
#include "fused_quadratic.h"

#include <popsgd/merge.h>

#include <algorithm>
#include <numeric>

namespace popsgd::sim {
namespace {

// Interactions handled at a time: few enough for the first-level cache when they are short; when they are
// long, enough that threads seldom wait for the last of them.
constexpr std::size_t kChunk = 1024;
constexpr std::size_t kQueuedChunk = 4096;

// About as many multiplications as it takes to make handing out a piece of work negligible.
constexpr std::size_t kGrainWork = 1U << 16;

// A core's own cache holds about this much beside a batch and its activations. Among models so small that the next one
// is there before it is missed, no order is better than another.
constexpr std::size_t kCacheBytes = 1U << 20;
constexpr std::size_t kSmallModelBytes = 1U << 12;
constexpr std::size_t kMostRemembered = 16;

std::size_t models_in_cache(std::size_t parameters) {
  const std::size_t bytes = parameters * sizeof(float);
  return bytes < kSmallModelBytes ? 0 : std::clamp<std::size_t>(kCacheBytes / bytes, 2, kMostRemembered);
}

}  // namespace

Population::Population(Interaction kind, const Problem& problem, const Settings& settings,
                       const Topology& topology, const Shards& shards, Workers& workers)
    : kind_(kind),
      problem_(problem),
      settings_(settings),
      shards_(shards),
      workers_(workers),
      sequence_(topology, settings.speeds, settings.seed),
      step_count_(settings.local_steps, settings.seed),
      swarm_(settings.agents, problem.parameters()),
      trainer_(problem, settings, shards, settings.agents, workers.count()),
      evaluations_(workers.count()) {
  swarm_.initialise(problem);
  if (settings.merge == Merge::delta) {
    snapshots_.emplace(settings.agents, problem.parameters());
    snapshots_->initialise(problem);
  }
  const std::size_t remembered = models_in_cache(problem.parameters());
  if (workers.count() > 1 || remembered > 0) {
    queue_.emplace(settings.agents, workers.count(), remembered);
  }
}

Account Population::account() const {
  const double pairs = static_cast<double>(settings_.agents) / 2;
  const std::uint64_t model_bytes = sizeof(float) * problem_.parameters();
  const bool both = kind_ == Interaction::both;
  return {.interactions = done_,
          .gradient_evaluations = std::accumulate(evaluations_.begin(), evaluations_.end(), std::uint64_t{0}),
          .parallel_time = static_cast<double>(done_) / (both ? pairs : 2 * pairs),
          .bytes = done_ * model_bytes * (both ? 2 : 1),
          .models_sent = done_ * (both ? 2 : 1)};
}

void Population::run_until(std::uint64_t interactions) {
  // A one-sided interaction spends half the gradients of a mutual one.
  const std::uint64_t target = kind_ == Interaction::both ? interactions : 2 * interactions;
  std::vector<Pair> pairs(queue_ ? kQueuedChunk : kChunk);
  while (done_ < target && !diverged_at_) {
    const auto chunk = std::span(pairs).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(pairs.size(), target - done_)));
    sequence_.fill(done_, chunk);
    run_chunk(chunk);
    done_ += chunk.size();
    if (first_bad_ != UINT64_MAX) diverged_at_ = first_bad_ + 1;
  }
}

void Population::run_chunk(std::span<const Pair> pairs) {
  // Before the number of workers: one pass rounds differently, and one thread of it outruns two of the general way.
  if (fusable()) return run_fused(pairs);
  if (queue_) return run_by_queue(pairs);
  run_in_order(pairs);
}

void Population::run_in_order(std::span<const Pair> pairs) {
  for (std::size_t k = 0; k < pairs.size(); ++k) interact(0, pairs[k], done_ + k);
}

void Population::run_by_queue(std::span<const Pair> pairs) {
  const std::size_t work = problem_.parameters() * settings_.batch * settings_.local_steps.mean;
  const std::size_t most = std::max<std::size_t>(1, settings_.agents / (8 * workers_.count()));
  const std::size_t grain = std::clamp<std::size_t>(kGrainWork / std::max<std::size_t>(1, work), 1, most);
  queue_->start(pairs);
  workers_.run([&](std::size_t worker) {
    for (auto taken = queue_->take(worker, grain); !taken.empty(); taken = queue_->take(worker, grain)) {
      for (const std::uint32_t k : taken) interact(worker, pairs[k], done_ + k);
    }
  });
}

void Population::interact(std::size_t worker, Pair pair, std::uint64_t t) {
  take_steps(worker, pair.initiator, t, 0);
  if (kind_ == Interaction::both) {
    take_steps(worker, pair.responder, t, 1);
    trainer_.average_counters(pair.initiator, pair.responder);
  }
  merge(pair);
}

void Population::take_steps(std::size_t worker, std::uint32_t agent, std::uint64_t t, std::uint32_t lane) {
  const auto [taken, finite] =
      trainer_.step(worker, agent, swarm_[agent], agent, t, lane, step_count_.at(t, lane));
  evaluations_[worker] += taken;
  if (!finite) note_divergence(t);
}

void Population::merge(Pair pair) {
  const Params a = swarm_[pair.initiator];
  const Params b = swarm_[pair.responder];
  if (kind_ == Interaction::one_sided) return apply_delta(a, a, b);
  if (settings_.merge == Merge::average) return adopt_average(a, b);
  const Params published_a = (*snapshots_)[pair.initiator];
  const Params published_b = (*snapshots_)[pair.responder];
  apply_delta(a, published_a, published_b);
  apply_delta(b, published_b, published_a);
  std::copy(a.begin(), a.end(), published_a.begin());
  std::copy(b.begin(), b.end(), published_b.begin());
}

void Population::note_divergence(std::uint64_t t) {
  std::uint64_t first = first_bad_.load();
  while (t < first && !first_bad_.compare_exchange_weak(first, t)) {
  }
}

bool Population::fusable() const {
  return problem_.quadratic() != nullptr && kind_ == Interaction::both && settings_.batch == 1 &&
         settings_.local_steps.mean == 1 && settings_.merge == Merge::average &&
         settings_.sgd.momentum == 0 && settings_.schedule.shape == Schedule::Shape::constant &&
         settings_.schedule.settle == 0 && shards_.shared();
}

void Population::run_fused(std::span<const Pair> pairs) {
  const bool finite = interact_fused({.problem = problem_,
                                      .swarm = swarm_,
                                      .eta = settings_.schedule.eta,
                                      .weight_decay = settings_.sgd.weight_decay,
                                      .samples = Sampler::training(settings_.seed),
                                      .first = done_},
                                     pairs);
  evaluations_[0] += 2 * pairs.size();
  if (!finite) note_divergence(done_ + pairs.size() - 1);
}

}  // namespace popsgd::sim
