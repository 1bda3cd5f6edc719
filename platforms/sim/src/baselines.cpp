#include "baselines.h"

#include "mean.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <atomic>
#include <bit>

namespace popsgd::sim {

namespace {

const Shards& all_rows() {
  static const Shards kAll = Shards::make("shared", {}, 1, 0);
  return kAll;
}

}  // namespace

CentralSgd::CentralSgd(const Problem& problem, const Settings& settings, Workers& workers)
    : Synchronous(problem, settings, all_rows(), workers, 1) {}

MiniBatch::MiniBatch(const Problem& problem, const Settings& settings, const Shards& shards, Workers& workers)
    : Synchronous(problem, settings, shards, workers, 1),
      partial_(std::min<std::size_t>(8, settings.agents), std::vector<float>(problem.parameters())),
      velocity_(settings.sgd.momentum > 0 ? problem.parameters() : 0),
      scratch_(problem.parameters()) {}

bool MiniBatch::round(std::uint64_t number) {
  const Params x = swarm_[0];
  const float share = 1.0F / static_cast<float>(settings_.agents);
  std::atomic<bool> finite{true};
  workers_.for_each(partial_.size(), [&](std::size_t worker, std::size_t group) {
    float keep = 0;
    for (auto agent = static_cast<std::uint32_t>(group); agent < settings_.agents;
         agent += static_cast<std::uint32_t>(partial_.size())) {
      if (!trainer_.add_gradient(worker, x, agent, draw(number, agent), keep, share, partial_[group]))
        finite = false;
      keep = 1;
    }
  });
  // The mean gradient is a gradient like any other: Sgd adds decay and momentum.
  const auto sum_of_groups = [](const void* context, ConstParams, const Batch&, float keep, float scale,
                                Params into, Scratch) noexcept {
    const auto& groups = *static_cast<const std::vector<std::vector<float>>*>(context);
    for (std::size_t k = 0; k < into.size(); ++k) {
      float sum = 0;
      for (const auto& group : groups) sum += group[k];
      into[k] = (keep == 0 ? 0 : keep * into[k]) + scale * sum;
    }
    return 0.0F;
  };
  const Gradient mean{
      .function = sum_of_groups, .context = &partial_, .parameters = x.size(), .in_place = true};
  settings_.sgd.step(mean, {}, trainer_.rate(0), x, velocity_, scratch_);
  trainer_.count_step(0);
  return finite;
}

FedAvg::FedAvg(const Problem& problem, const Settings& settings, const Shards& shards, Workers& workers)
    : Synchronous(problem, settings, shards, workers, settings.agents) {}

bool FedAvg::round(std::uint64_t number) {
  const bool finite = all_step(number);
  set_all_to_mean(swarm_, workers_);
  return finite;
}

DecentralisedSgd::DecentralisedSgd(const Problem& problem, const Settings& settings, const Topology& topology,
                                   const Shards& shards, Workers& workers)
    : Synchronous(problem, settings, shards, workers, settings.agents),
      topology_(topology),
      mixed_(topology.complete() ? 0 : settings.agents, problem.parameters()) {}

bool DecentralisedSgd::round(std::uint64_t number) {
  const bool finite = all_step(number);
  if (topology_.complete()) {
    set_all_to_mean(swarm_, workers_);  // all weights are 1 / n
  } else {
    workers_.for_each(swarm_.agents(),
                      [&](std::size_t, std::size_t k) { mix(static_cast<std::uint32_t>(k)); });
    std::swap(swarm_, mixed_);
  }
  return finite;
}

void DecentralisedSgd::mix(std::uint32_t agent) {
  const Params out = mixed_[agent];
  const Params own = swarm_[agent];
  const auto neighbours = topology_.neighbours(agent);
  std::copy(own.begin(), own.end(), out.begin());
  for (const std::uint32_t other : neighbours) {
    const std::size_t degree = std::max(neighbours.size(), topology_.neighbours(other).size());
    const float weight = 1.0F / static_cast<float>(1 + degree);
    const Params theirs = swarm_[other];
    for (std::size_t k = 0; k < out.size(); ++k) out[k] += weight * (theirs[k] - own[k]);
  }
}

GradientPush::GradientPush(const Problem& problem, const Settings& settings, const Topology& topology,
                           const Shards& shards, Workers& workers)
    : Synchronous(problem, settings, shards, workers, settings.agents),
      topology_(topology),
      received_(settings.agents, problem.parameters()),
      estimates_(settings.agents, problem.parameters()),
      weights_(settings.agents, 1),
      received_weights_(settings.agents) {
  if (settings.sgd.momentum > 0) throw Error("--momentum cannot be used with --algorithm sgp; leave it at 0");
  estimates_.initialise(problem);
}

bool GradientPush::round(std::uint64_t number) {
  std::atomic<bool> finite{true};
  workers_.for_each(swarm_.agents(), [&](std::size_t worker, std::size_t k) {
    const auto agent = static_cast<std::uint32_t>(k);
    const Params z = estimates_[agent];
    const float eta = trainer_.rate(agent);
    // Weight decay acts where the gradient is taken: at z.
    const Params x = swarm_[agent];
    for (std::size_t c = 0; c < x.size(); ++c) x[c] -= eta * settings_.sgd.weight_decay * z[c];
    if (!trainer_.add_gradient(worker, z, agent, draw(number, agent), 1, -eta, x)) finite = false;
    trainer_.count_step(agent);
  });
  workers_.for_each(swarm_.agents(),
                    [&](std::size_t, std::size_t k) { receive(static_cast<std::uint32_t>(k), number); });
  std::swap(swarm_, received_);
  std::swap(weights_, received_weights_);
  return finite;
}

void GradientPush::add_share(std::uint32_t sender, std::size_t targets, std::uint32_t receiver) {
  const float share = 1.0F / static_cast<float>(1 + targets);
  const Params sum = received_[receiver];
  const Params theirs = swarm_[sender];
  received_weights_[receiver] += share * weights_[sender];
  for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += share * theirs[k];
}

void GradientPush::receive(std::uint32_t agent, std::uint64_t number) {
  const Params sum = received_[agent];
  std::fill(sum.begin(), sum.end(), 0.0F);
  received_weights_[agent] = 0;
  if (topology_.complete()) {
    const std::uint32_t n = settings_.agents;
    const auto hop =
        static_cast<std::uint32_t>(std::uint64_t{1} << number % static_cast<unsigned>(std::bit_width(n - 1)));
    add_share(agent, 1, agent);
    add_share((agent + n - hop) % n, 1, agent);
  } else {
    const auto neighbours = topology_.neighbours(agent);
    add_share(agent, neighbours.size(), agent);
    for (const std::uint32_t other : neighbours) add_share(other, topology_.neighbours(other).size(), agent);
  }
  const Params z = estimates_[agent];
  for (std::size_t k = 0; k < sum.size(); ++k) z[k] = sum[k] / received_weights_[agent];
}

LocalOnly::LocalOnly(const Problem& problem, const Settings& settings, const Shards& shards, Workers& workers)
    : Synchronous(problem, settings, shards, workers, settings.agents) {}

}  // namespace popsgd::sim
