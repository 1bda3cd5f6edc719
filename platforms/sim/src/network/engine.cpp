#include "network/engine.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace popsgd::sim {
namespace {

constexpr std::uint32_t kMostComplete = 4096;             // agents that all know each other
constexpr double kMostWait = 24.0 * 3600 * 1000 / 32;     // ms; what an agent takes
constexpr std::uint32_t kOrigin = 0xFFFF'FFFFU - 60'000;  // ms: the agents' clocks wrap around in a minute
constexpr std::uint64_t kPatience = 600'000'000;  // microseconds without any exchange, and 1000 waits more

// Where all send floats as they are there is nothing to tell apart.
std::vector<Tensor> layout_of(const Problem& problem, const Settings& settings) {
  const bool plain = quantisation_of(settings.encoding).width == Width::raw && settings.numerics.empty();
  return plain ? std::vector<Tensor>{} : float_layout(problem);
}

void add(AgentMetrics& sum, const AgentMetrics& more) {
  sum.begun += more.begun;
  sum.completed += more.completed;
  sum.cut_short += more.cut_short;
  sum.in_doubt += more.in_doubt;
  sum.retries += more.retries;
  sum.saturated += more.saturated;
  sum.saturated_in_steps += more.saturated_in_steps;
  sum.retransmissions += more.retransmissions;
  sum.frames_sent += more.frames_sent;
  sum.bytes_sent += more.bytes_sent;
  for (std::size_t k = 0; k < kDrops; ++k) sum.dropped[k] += more.dropped[k];
  for (std::size_t k = 0; k < kRefusals; ++k) sum.refused[k] += more.refused[k];
}

void check(const Settings& settings, const Topology& topology, const NetworkSettings& network) {
  if (settings.local_steps.geometric && settings.local_steps.mean != 1)
    throw Error("--engine network takes a fixed number of --local-steps, not geometric:N");
  if (settings.local_steps.mean > std::numeric_limits<std::uint16_t>::max())
    throw Error("--engine network takes at most 65535 --local-steps, not " +
                std::to_string(settings.local_steps.mean));
  if (topology.complete() && settings.agents > kMostComplete) {
    throw Error("--engine network has at most " + std::to_string(kMostComplete) +
                " agents on the complete graph, as each must know all others; use --topology regular:16");
  }
  const auto [slowest, fastest] = std::minmax_element(settings.speeds.begin(), settings.speeds.end());
  const bool equal = settings.speeds.empty();
  const double longest = network.mean_wait_ms / (equal ? 1 : *slowest);
  const double shortest = network.mean_wait_ms / (equal ? 1 : *fastest);
  if (!(shortest >= 1) || !(longest <= kMostWait)) {
    throw Error("--engine network: agents wait from 1 ms to 45 minutes on average; these speeds make it " +
                std::to_string(shortest) + " to " + std::to_string(longest) + " ms");
  }
}

}  // namespace

NetworkEngine::NetworkEngine(const Problem& problem, const Settings& settings, const Topology& topology,
                             const Shards& shards, const NetworkSettings& network)
    : problem_(problem),
      settings_(settings),
      topology_(topology),
      network_(network),
      inner_(problem.gradient(settings.batch)),
      layout_(layout_of(problem, settings)),
      fixed_trainers_(make_fixed_trainers(problem, settings, shards, 1)),
      swarm_(settings.agents, problem.parameters()),
      adversary_(network.byzantine, topology, swarm_, settings.seed),
      sampler_(problem, shards, settings.batch,
               settings.sgd.scratch_size(inner_) + inner_.scratch + problem.parameters(),
               Sampler::training(settings.seed)),
      links_(network.link, settings.seed),
      crashes_(network.crash, settings.seed),
      frames_(network.link.mtu),
      nodes_(settings.agents),
      outgoing_((network.link.mtu + 7) / 8) {
  check(settings, topology, network);
  contacts_ = make_contacts(network.contacts, topology, settings.seed);
  if (contacts_) events_.push(contacts_->next(), Event::Kind::contacts, 0);
  swarm_.initialise(problem);
  if (settings.sgd.momentum > 0) velocities_.emplace(settings.agents, problem.parameters());
  if (network.check_invariants) shadows_.emplace(swarm_);
  start_agents();
}

// --- events

// All links change before any agent may send.
void NetworkEngine::change_contacts() {
  const std::span<const ContactChange> changes = contacts_->advance();
  const auto tell = [this](const ContactChange& change, std::uint32_t who, std::uint32_t peer) {
    if (adversary_.always_busy(who)) return;  // it knows its phantom only
    if (!change.opens) return nodes_[who].agent.remove_peer(PeerId{peer});
    static_cast<void>(nodes_[who].agent.add_peer(PeerId{peer}, traits()));
  };
  for (const ContactChange& change : changes) {
    tell(change, change.link.a, change.link.b);
    tell(change, change.link.b, change.link.a);
  }
  for (const ContactChange& change : changes) {
    for (const std::uint32_t end : {change.link.a, change.link.b})
      if (nodes_[end].up) touched(nodes_[end]);
  }
  events_.push(contacts_->next(), Event::Kind::contacts, 0);
}

Time NetworkEngine::time() const {
  return Time(kOrigin) + static_cast<std::uint32_t>(now_ / 1000);
}

void NetworkEngine::step() {
  const Event event = events_.pop();
  switch (event.kind) {
    case Event::Kind::timer:
      return expire(event);
    case Event::Kind::arrival:
      return arrive(event);
    case Event::Kind::restart:
      now_ = event.at;
      return restart(nodes_[event.what]);
    case Event::Kind::contacts:
      now_ = event.at;
      return change_contacts();
  }
}

void NetworkEngine::expire(const Event& event) {
  Node& node = nodes_[event.what];
  if (node.timer != event.order) return;  // void
  node.timer = 0;
  if (node.due > event.at) return set_timer(node);  // it has been put off
  now_ = event.at;
  touched(node);
}

void NetworkEngine::arrive(const Event& event) {
  now_ = event.at;
  const FramePool::Address address = frames_.address(event.what);
  Node& node = nodes_[address.to];
  const bool broken = contacts_ && !contacts_->unbroken(address.from, address.to, address.sent);
  if (broken || !node.up) return frames_.release(event.what);
  speaker_ = address.from;
  if (!adversary_.lies(address.from)) ++delivered_;
  if (!adversary_.lies(address.to) ||
      adversary_.hear(address.to, address.from, frames_.bytes(event.what), node.agent))
    node.agent.receive(PeerId{address.from}, frames_.bytes(event.what), time());
  frames_.release(event.what);
  touched(node);
}

// The agent has been called: it may have something to send, and another deadline.
void NetworkEngine::touched(Node& node) {
  const Time now = time();
  const bool failing = !adversary_.lies(node.index) && crashes_.strikes();
  save_if_due(node);  // before what it says: power may fail between the two
  send(node, now, failing);
  const std::uint64_t releases =
      node.privacy ? node.privacy->own.releases() : 0;  // these change the model, too
  const bool stepped = node.steps != node.steps_seen || releases != node.releases_seen;
  node.steps_seen = node.steps;
  node.releases_seen = releases;
  if (stepped) mirror(node, 0, swarm_[node.index].size());
  if (failing) return fail(node);
  // Never twice in a millisecond for its own sake.
  const std::int32_t wait = std::max(1, node.agent.deadline(now).since(now));
  node.due = (now_ / 1000 + static_cast<std::uint32_t>(wait)) * 1000;
  if (adversary_.lies(node.index)) node.due = std::max(node.due, adversary_.speaks_at(node.index));
  if (node.timer == 0 || node.due < node.timer_at) set_timer(node);
  if (shadows_ && !adversary_.lies(node.index))
    check_invariants(node, now, stepped);  // liars may do what they like
}

void NetworkEngine::check_invariants(Node& node, Time now, bool stepped) {
  invariants_.advance(now_);
  invariants_.agent(node.agent, now);
  invariants_.check(node.workspace.back() == kGuard, "an agent wrote beyond its workspace");
  if (stepped)
    shadows_->follow(node.index);
  else
    invariants_.check(shadows_->same(node.index), "a model changed without a step or an averaging");
}

void NetworkEngine::set_timer(Node& node) {
  node.timer_at = node.due;
  node.timer = events_.push(node.due, Event::Kind::timer, node.index);
}

void NetworkEngine::send(Node& node, Time now, bool failing) {
  const std::span<std::byte> buffer = std::as_writable_bytes(std::span(outgoing_));
  if (!adversary_.lies(node.index)) {
    while (const auto out = node.agent.send(buffer, now)) {
      if (failing && !crashes_.leaves()) return;
      transmit(node.index, static_cast<std::uint32_t>(out->to), buffer.first(out->size));
    }
    return;
  }
  adversary_.prepare(node.index, node.agent, now);
  while (adversary_.speaks_at(node.index) <= now_) {
    const auto out = node.agent.send(buffer, now);
    if (!out) break;
    for (const Adversary::Utterance& lie : adversary_.say(node.index, *out, buffer, now_))
      transmit(node.index, lie.to, lie.frame);
  }
  adversary_.prepare(node.index, node.agent, now);  // an exchange may have ended just now
}

void NetworkEngine::transmit(std::uint32_t from, std::uint32_t to, std::span<const std::byte> frame) {
  if (contacts_ && !contacts_->open(from, to)) return;
  for (int left = links_.copies(); left > 0; --left) {
    const std::uint64_t at = links_.arrival(from, to, frame.size(), now_);
    if (links_.lost() || links_.dead(from, to, now_)) continue;
    const std::uint32_t held = frames_.hold(from, to, frame, now_);
    frames_.address(held).size = static_cast<std::uint32_t>(links_.damage(frames_.bytes(held)));
    events_.push(at, Event::Kind::arrival, held);
  }
}

void NetworkEngine::note_divergence() {
  if (!finite_ && !diverged_at_) diverged_at_ = completed_;
}

void NetworkEngine::run_until(std::uint64_t interactions) {
  const std::uint64_t patience = kPatience + std::uint64_t{network_.mean_wait_ms} * 1'000'000 +
                                 (contacts_ ? contacts_->longest_quiet() : 0);
  while (completed_ < interactions && !diverged_at_) {
    step();
    note_divergence();
    if (now_ - completed_at_ <= patience) continue;
    throw Error("--engine network: no exchange was completed for " + std::to_string(patience / 60'000'000) +
                " minutes of virtual time; try better links (--link) or more contacts (--contacts)");
  }
}

void NetworkEngine::run_for(std::uint64_t milliseconds) {
  const std::uint64_t end = now_ + milliseconds * 1000;
  while (events_.next().at <= end && !diverged_at_) {
    step();
    note_divergence();
  }
  now_ = std::max(now_, end);
}

// --- what has been spent

AgentMetrics NetworkEngine::metrics(const Node& node) {
  AgentMetrics metrics = node.past;
  if (node.up) add(metrics, node.agent.metrics());
  return metrics;
}

Account NetworkEngine::account() const {
  Account account{.interactions = completed_, .models_sent = 2 * completed_};
  for (const std::uint32_t k : adversary_.honest()) {
    const AgentMetrics all = metrics(nodes_[k]);
    account.gradient_evaluations += nodes_[k].steps;
    account.bytes += all.bytes_sent;
    account.wrapped += all.retries;
    account.saturated += all.saturated + all.saturated_in_steps;
  }
  account.wrapped /= 2;  // both sides count an attempt
  account.parallel_time = static_cast<double>(account.gradient_evaluations) / static_cast<double>(models());
  return account;
}

NetworkTotals NetworkEngine::totals() const {
  AgentMetrics all;
  std::uint32_t settled = 0;
  std::uint64_t releases = 0;
  std::uint64_t withheld = 0;
  double epsilon = 0;
  for (const std::uint32_t k : adversary_.honest()) {
    add(all, metrics(nodes_[k]));
    if (const auto& privacy = nodes_[k].privacy) {
      releases += privacy->own.releases();
      withheld += privacy->own.withheld();
      epsilon = std::max(epsilon, privacy->own.epsilon());
    }
    if (nodes_[k].up && nodes_[k].agent.settled()) ++settled;
  }
  return {.virtual_seconds = static_cast<double>(now_) * 1e-6,
          .frames_sent = all.frames_sent,
          .frames_delivered = delivered_,
          .bytes_sent = all.bytes_sent,
          .completed = completed_,
          .with_byzantine = with_byzantine_,
          .one_sided = one_sided_,
          .begun = all.begun,
          .completed_sides = all.completed,
          .cut_short = all.cut_short,
          .in_doubt = all.in_doubt,
          .retries = all.retries,
          .saturated = all.saturated,
          .retransmissions = all.retransmissions,
          .dropped = all.dropped,
          .refused = all.refused,
          .settled = settled,
          .releases = releases,
          .withheld = withheld,
          .epsilon = epsilon,
          .crashes = crashed_,
          .restored = restored_,
          .violations = invariants_.violations(),
          .first_violation = invariants_.first(),
          .byzantine = settings_.agents - models(),
          .lie = network_.byzantine.kind};
}

std::unique_ptr<NetworkAlgorithm> make_network(const Problem& problem, const Settings& settings,
                                               const Topology& topology, const Shards& shards,
                                               const NetworkSettings& network) {
  return std::make_unique<NetworkEngine>(problem, settings, topology, shards, network);
}

}  // namespace popsgd::sim
