// Agents that find each other in virtual time: a broadcast domain that loses, and links that do not.
#pragma once

#include <popsgd/discovery/discovery.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace popsgd::test {

struct DiscoveryNet {
  struct Options {
    std::size_t agents = 32;
    float loss = 0;  ///< of a beacon, by each that hears it; of a first dial, which then takes 1 s more
    bool multicast = true;
    bool links = true;               ///< dialling works
    std::uint32_t spread_ms = 1000;  ///< all start within
    std::uint32_t delay_ms = 5;      ///< of everything, at most
    std::uint64_t seed = 1;
    discovery::Config config{};  ///< of all, but for id, seed and port
  };

  struct Agent {
    discovery::Memory<> memory;
    std::optional<discovery::Discovery> discovery;  ///< while it runs
    std::vector<discovery::Endpoint> configured;
    discovery::Config config{};
    std::uint32_t wakes = 0;
  };
  struct Wire {
    std::size_t ends[2];  // the dialler first
    bool open = true;
  };

  explicit DiscoveryNet(const Options& chosen)
      : options(chosen), random(chosen.seed, Purpose::user, 1), agents(chosen.agents) {
    for (std::size_t k = 0; k < agents.size(); ++k) {
      agents[k].config = options.config;
      agents[k].config.announces = options.multicast;
      agents[k].config.swarm = discovery::swarm_tag("test");
      at(random.below(options.spread_ms + 1), [this, k] { start(k); });
    }
  }
  DiscoveryNet(const DiscoveryNet&) = delete;

  [[nodiscard]] static discovery::Endpoint where(std::size_t k) {
    return {v4_address({10, 0, static_cast<std::uint8_t>(k >> 8), static_cast<std::uint8_t>(k + 1)}, 7000)};
  }
  [[nodiscard]] Time now() const { return Time(0xFFFFF000U + static_cast<std::uint32_t>(clock)); }

  /// (Re-)starts an agent, with a new id.
  void start(std::size_t k) {
    Agent& agent = agents[k];
    agent.config.id = random.bits64() | 1U;
    agent.config.seed = random.bits64();
    agent.config.tcp_port = 7000;
    agent.discovery.emplace(agent.config, agent.memory, now());
    for (const auto& endpoint : agent.configured) static_cast<void>(agent.discovery->add(endpoint, now()));
    serve(k);
  }
  /// It goes off without a word; its links end.
  void stop(std::size_t k) {
    agents[k].discovery.reset();
    for (std::size_t wire = 0; wire < wires.size(); ++wire) {
      if (wires[wire].ends[0] == k || wires[wire].ends[1] == k) hang_up(wire);
    }
  }

  void run_until(std::uint64_t ms, const std::function<bool()>& done = {}) {
    while (!events.empty() && events.begin()->first <= ms) {
      clock = events.begin()->first;
      const auto event = std::move(events.begin()->second);
      events.erase(events.begin());
      event();
      if (done && done()) return;
    }
    clock = ms;
  }

  [[nodiscard]] bool knows(std::size_t k, std::size_t other) const {
    const auto& mine = agents[k].discovery;
    const auto& theirs = agents[other].discovery;
    return mine && theirs && mine->peers().knows(theirs_id(other));
  }
  [[nodiscard]] bool all_know_all() const {
    for (std::size_t k = 0; k < agents.size(); ++k) {
      for (std::size_t other = 0; other < agents.size(); ++other) {
        if (k != other && !knows(k, other)) return false;
      }
    }
    return true;
  }
  /// Links over which both ends may send frames.
  [[nodiscard]] std::size_t links_between(std::size_t a, std::size_t b) const {
    std::size_t count = 0;
    for (std::size_t wire = 0; wire < wires.size(); ++wire) {
      const Wire& ends = wires[wire];
      const bool these = (ends.ends[0] == a && ends.ends[1] == b) || (ends.ends[0] == b && ends.ends[1] == a);
      const discovery::LinkId link{static_cast<std::uint32_t>(wire)};
      if (these && ends.open && agents[a].discovery->met(link) && agents[b].discovery->met(link)) ++count;
    }
    return count;
  }

  Options options;
  Random random;
  std::vector<Agent> agents;
  std::vector<Wire> wires;
  std::uint64_t clock = 0;
  std::uint64_t beacons = 0;
  std::uint64_t messages = 0;  ///< hellos and peers
  std::multimap<std::uint64_t, std::function<void()>> events;

 private:
  [[nodiscard]] std::uint64_t theirs_id(std::size_t k) const { return agents[k].config.id; }
  void at(std::uint64_t ms, std::function<void()> what) { events.emplace(ms, std::move(what)); }
  void later(std::function<void()> what) { at(clock + 1 + random.below(options.delay_ms), std::move(what)); }

  void serve(std::size_t k) {
    Agent& agent = agents[k];
    if (!agent.discovery) return;
    while (true) {
      const discovery::Action action = agent.discovery->poll(now());
      if (action.kind == discovery::Action::Kind::nothing) break;
      act(k, action);
    }
    const std::int32_t wait = agent.discovery->deadline().since(now());
    at(clock + static_cast<std::uint64_t>(wait > 0 ? wait : 1), [this, k, wake = ++agent.wakes] {
      if (agents[k].wakes == wake) serve(k);
    });
  }

  void act(std::size_t k, const discovery::Action& action) {
    const std::vector<std::byte> bytes(action.bytes.begin(), action.bytes.end());
    if (action.kind == discovery::Action::Kind::announce) {
      ++beacons;
      broadcast(k, bytes);
    } else if (action.kind == discovery::Action::Kind::dial) {
      if (options.links) dial(k, action.endpoint);
    } else if (action.kind == discovery::Action::Kind::close) {
      hang_up(static_cast<std::size_t>(action.link));
    } else {
      ++messages;
      const auto wire = static_cast<std::size_t>(action.link);
      const std::size_t other = wires[wire].ends[wires[wire].ends[0] == k ? 1 : 0];
      // Whatever the jitter, a stream keeps its order: all messages take equally long.
      at(clock + options.delay_ms, [this, wire, other, bytes] {
        if (!wires[wire].open || !agents[other].discovery) return;
        static_cast<void>(agents[other].discovery->received(action_link(wire), bytes, now()));
        serve(other);
      });
    }
  }
  static discovery::LinkId action_link(std::size_t wire) {
    return discovery::LinkId{static_cast<std::uint32_t>(wire)};
  }

  void broadcast(std::size_t from, const std::vector<std::byte>& bytes) {
    for (std::size_t k = 0; k < agents.size(); ++k) {  // its own comes back, too
      if (random.uniform() < options.loss) continue;
      later([this, k, from, bytes] {
        if (!agents[k].discovery) return;
        static_cast<void>(agents[k].discovery->heard(bytes, where(from).address, now()));
        serve(k);
      });
    }
  }

  void dial(std::size_t k, const discovery::Endpoint& endpoint) {
    const bool lost = random.uniform() < options.loss;
    at(clock + 2 * options.delay_ms + (lost ? 1000 : 0), [this, k, endpoint] {
      if (!agents[k].discovery) return;
      for (std::size_t other = 0; other < agents.size(); ++other) {
        if (endpoint != where(other) || !agents[other].discovery) continue;
        connect(k, other);
        return;
      }
      agents[k].discovery->failed(endpoint, now());
      serve(k);
    });
  }

  void connect(std::size_t k, std::size_t other) {
    const auto link = action_link(wires.size());
    wires.push_back({{k, other}});
    discovery::Endpoint far = where(k);
    far.address.port = 50000;
    if (agents[other].discovery->opened(link, far, false, now()) != discovery::Refusal::none ||
        agents[k].discovery->opened(link, where(other), true, now()) != discovery::Refusal::none)
      hang_up(wires.size() - 1);
    serve(k);
    if (k != other) serve(other);
  }

  void hang_up(std::size_t wire) {
    if (!wires[wire].open) return;
    wires[wire].open = false;
    for (const std::size_t k : wires[wire].ends) {
      later([this, k, wire] {
        if (!agents[k].discovery) return;
        agents[k].discovery->closed(action_link(wire), now());
        serve(k);
      });
    }
  }
};

}  // namespace popsgd::test
