// The engine's agents: how they begin, what they learn from and whom they tell, and how they end.
#include "network/engine.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace popsgd::sim {
namespace {

Gradient watched(const Gradient& inner, Gradient::Function function, const void* engine) {
  Gradient outer = inner;
  outer.function = function;
  outer.context = engine;
  return outer;
}

// Those that end while they are remembered, offered and answered, twice as many as are drawn: some are refused and tried
// again.
std::uint16_t places_for_finished(const AgentConfig& config) {
  const std::uint32_t remembered = 2 * config.timing.in_doubt;
  return static_cast<std::uint16_t>(std::clamp(4 * (remembered / config.mean_wait), 16U, 1024U));
}

}  // namespace

AgentConfig NetworkEngine::config_for(std::uint32_t index) {
  const double speed = settings_.speeds.empty() ? 1 : settings_.speeds[index];
  const std::size_t peers = topology_.complete() ? settings_.agents - 1 : topology_.neighbours(index).size();
  if (peers > std::numeric_limits<std::uint16_t>::max())
    throw Error("--engine network: an agent has at most 65535 neighbours, not " + std::to_string(peers));
  AgentConfig config;
  config.sgd = settings_.sgd;
  config.schedule = settings_.schedule;
  config.schedule_counter = settings_.clock == Clock::gossip ? ScheduleCounter::gossip : ScheduleCounter::own;
  config.averaging = settings_.merge == Merge::average ? Averaging::blocking : Averaging::non_blocking;
  config.local_steps = static_cast<std::uint16_t>(settings_.local_steps.mean);
  config.fresh = false;
  config.mean_wait = static_cast<std::uint32_t>(std::lround(network_.mean_wait_ms / speed));
  config.block_length = network_.block_length;
  config.timing = network_.timing;
  config.finished = places_for_finished(config);
  config.largest_frame = static_cast<std::uint16_t>(network_.link.mtu);
  config.peers = static_cast<std::uint16_t>(peers);
  config.guarding.gate = network_.gate;
  config.quantise = quantisation_of(settings_.encoding);
  if (nodes_[index].privacy) config.privacy = &nodes_[index].privacy->own;
  if (adversary_.lies(index)) adversary_.configure(config);
  return config;
}

Numeric NetworkEngine::numeric_of(std::uint32_t index) const {
  const bool floats = settings_.numerics.empty() || adversary_.lies(index);
  return floats ? Numeric::float32 : settings_.numerics[index];
}

FixedTrainer& NetworkEngine::fixed_trainer(const Node& node) const {
  return *fixed_trainers_[static_cast<std::size_t>(node.integers->kind())];
}

std::size_t NetworkEngine::tensor_count() const {
  return std::max<std::size_t>(1, layout_.size());
}

// What was spent outlasts crashes here, so that nothing need be paid in advance.
void NetworkEngine::protect_agents() {
  if (!network_.privacy) return;
  Privacy::Settings settings = *network_.privacy;
  settings.ahead = 0;
  for (std::uint32_t k = 0; k < nodes_.size(); ++k) {
    if (adversary_.lies(k)) continue;
    if (numeric_of(k) != Numeric::float32) throw Error("--privacy-noise is for agents that learn in float32");
    nodes_[k].entropy.emplace(settings_.seed, k);
    nodes_[k].privacy.emplace(settings, *nodes_[k].entropy);
  }
}

void NetworkEngine::start_agents() {
  protect_agents();
  std::vector<std::size_t> words(nodes_.size());
  std::size_t total = 0;
  for (std::uint32_t k = 0; k < nodes_.size(); ++k) {
    words[k] =
        (Agent::workspace_size(config_for(k), swarm_[k].size(), tensor_count(), numeric_of(k)) + 7) / 8 + 1;
    total += words[k];
  }
  workspaces_.resize(total, kGuard);
  std::span<std::uint64_t> left(workspaces_);
  for (std::uint32_t k = 0; k < nodes_.size(); ++k) {
    Node& node = nodes_[k];
    node.engine = this;
    node.index = k;
    node.seeds = Random(settings_.seed, Purpose::network, k + 1);
    node.workspace = left.first(words[k]);
    left = left.subspan(words[k]);
    if (numeric_of(k) != Numeric::float32) {
      node.integers.emplace(numeric_of(k),
                            fixed_trainers_[static_cast<std::size_t>(numeric_of(k))]->layout());
      fixed_trainer(node).initialise(*node.integers);
      mirror(node, 0, swarm_[k].size());
      if (shadows_) shadows_->follow(k);
    }
    if (crashes_.saves() && !adversary_.lies(k)) {
      node.store.emplace(
          Agent::checkpoint_size(config_for(k), swarm_[k].size(), tensor_count(), numeric_of(k)));
      node.save_at = crashes_.save_after();
    }
    start(node, config_for(k));
    touched(node);
  }
}

void NetworkEngine::start(Node& node, AgentConfig config) {
  const std::uint32_t k = node.index;
  config.seed = node.seeds.bits64();
  if (!adversary_.lies(k)) config.observer = {observe, &node};
  const Params velocity = velocities_ ? (*velocities_)[k] : Params{};
  std::fill(velocity.begin(), velocity.end(), 0.0F);
  const auto workspace = std::as_writable_bytes(node.workspace.first(node.workspace.size() - 1));
  const Status status =
      node.integers
          ? fixed_trainer(node).begin(node.agent, config, *node.integers, {next_fixed_batch, &node},
                                      workspace, time())
          : node.agent.init(config, popsgd::Model(swarm_[k], layout_), watched(inner_, gradient, this),
                            {next_batch, &node}, velocity, sampler_.scratch(), workspace, time());
  if (status != Status::ok) throw Error("--engine network: an agent says: " + std::string(text(status)));
  node.up = true;
  connect(node);
}

LinkTraits NetworkEngine::traits() const {
  return {.mtu = static_cast<std::uint16_t>(network_.link.mtu), .reliable = network_.link.reliable};
}

void NetworkEngine::connect(Node& node) {
  const auto add = [&](std::uint32_t peer) {
    if (peer == node.index || (contacts_ && !contacts_->open(node.index, peer))) return;
    static_cast<void>(node.agent.add_peer(PeerId{peer}, traits()));
  };
  if (adversary_.always_busy(node.index)) {
    static_cast<void>(node.agent.add_peer(PeerId{Adversary::kPhantom}, traits()));
  } else if (topology_.complete()) {
    for (std::uint32_t peer = 0; peer < nodes_.size(); ++peer) add(peer);
  } else {
    for (const std::uint32_t peer : topology_.neighbours(node.index)) add(peer);
  }
}

// A stretch of an integer model's mirror follows it.
void NetworkEngine::mirror(const Node& node, std::size_t offset, std::size_t length) const {
  if (node.integers) node.integers->to_floats(swarm_[node.index].subspan(offset, length), offset);
}

// Batches are numbered across all agents.
std::uint64_t NetworkEngine::next_draw(Node& node) const {
  return node.steps++ * nodes_.size() + node.index;
}

const Batch& NetworkEngine::next_batch(void* context) noexcept {
  Node& node = *static_cast<Node*>(context);
  return node.engine->sampler_.draw(node.index, node.engine->next_draw(node), 0, 0);
}

const FixedBatch& NetworkEngine::next_fixed_batch(void* context) noexcept {
  Node& node = *static_cast<Node*>(context);
  return node.engine->fixed_trainer(node).draw(0, node.index, node.engine->next_draw(node), 0, 0);
}

// Of honest agents. They apply a block when they have heard their partner.
void NetworkEngine::observe(void* context, const Applied& applied) noexcept {
  const Node& node = *static_cast<Node*>(context);
  NetworkEngine& engine = *node.engine;
  const bool with_liar = engine.adversary_.lies(engine.speaker_);
  engine.mirror(node, applied.offset, applied.length);
  if (engine.shadows_) {
    const Change change = engine.shadows_->take(node.index, applied.offset, applied.length);
    engine.invariants_.applied(applied, with_liar, change);
  }
  if (!with_liar) applied.initiator ? ++engine.one_sided_ : --engine.one_sided_;
  if (!applied.initiator) return;
  const std::uint64_t doubt = std::uint64_t{engine.network_.timing.in_doubt} * 1000;
  engine.links_.decided(node.index, engine.speaker_, engine.now_ + 2 * doubt);
  if (!applied.last) return;
  ++engine.completed_;
  if (with_liar) ++engine.with_byzantine_;
  engine.completed_at_ = engine.now_;
}

// The problem's own, with an eye on the loss.
float NetworkEngine::gradient(const void* context, ConstParams at, const Batch& batch, float keep,
                              float scale, Params into, Scratch scratch) noexcept {
  const NetworkEngine& engine = *static_cast<const NetworkEngine*>(context);
  const float loss = engine.inner_(at, batch, keep, scale, into, scratch);
  if (!std::isfinite(loss)) engine.finite_ = false;
  return loss;
}

// --- failures of power

void NetworkEngine::save_if_due(Node& node) {
  if (!node.store || now_ < node.save_at) return;
  node.save_at = now_ + crashes_.save_after();
  const Status status = node.agent.save(*node.store);
  if (status != Status::ok)
    throw Error("--crash: a checkpoint could not be saved: " + std::string(text(status)));
}

void NetworkEngine::fail(Node& node) {
  ++crashed_;
  node.past = metrics(node);
  node.past.cut_short = node.past.begun - node.past.completed;  // an open exchange ends, too
  node.up = false;
  node.timer = 0;
  events_.push(now_ + crashes_.back_after(), Event::Kind::restart, node.index);
}

void NetworkEngine::restart(Node& node) {
  problem_.initialise(swarm_[node.index]);
  if (node.integers) fixed_trainer(node).initialise(*node.integers);
  AgentConfig config = config_for(node.index);
  config.fresh = true;
  start(node, config);
  if (node.store && node.agent.restore(*node.store, time()) == Status::ok) ++restored_;
  mirror(node, 0, swarm_[node.index].size());
  node.steps_seen = node.steps;
  if (shadows_) shadows_->follow(node.index);
  touched(node);
}

}  // namespace popsgd::sim
