// Agents that want harm: what they make of an honest agent's code.
#pragma once

#include "swarm.h"

#include <popsgd/agent.h>
#include <popsgd/random.h>
#include <popsgd/sim/network.h>
#include <popsgd/sim/topology.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace popsgd::sim {

/// Who lies, and how. All functions but honest() and lies() are about an agent that does. Times in microseconds.
class Adversary {
 public:
  /// A peer that does not exist.
  static constexpr std::uint32_t kPhantom = 0xFFFF'FFFFU;

  struct Utterance {
    std::uint32_t to = 0;
    std::span<const std::byte> frame{};
  };

  /// Draws who lies. `topology` and `swarm` must outlive the object. Throws Error for a fraction out of range and for
  /// liars among fewer than three agents.
  Adversary(const ByzantineSettings& settings, const Topology& topology, const Swarm& swarm,
            std::uint64_t seed);

  /// The others, in increasing order.
  [[nodiscard]] const std::vector<std::uint32_t>& honest() const { return honest_; }
  [[nodiscard]] bool lies(std::uint32_t agent) const { return place_[agent] != kHonest; }

  /// No guard, no steps, and what else its lie takes.
  void configure(AgentConfig& config) const;
  /// Whether it knows nobody but the phantom.
  [[nodiscard]] bool always_busy(std::uint32_t agent) const { return lies(agent) && kind_ == Lie::busy; }

  /// Between two exchanges: writes its lie into its model. Does nothing while it is in one.
  void prepare(std::uint32_t agent, Agent& body, Time now);
  /// A frame has come; whether it listens.
  [[nodiscard]] bool hear(std::uint32_t agent, std::uint32_t from, std::span<const std::byte> frame,
                          const Agent& body);
  /// It sends nothing before.
  [[nodiscard]] std::uint64_t speaks_at(std::uint32_t agent) const { return liars_[place_[agent]].speaks_at; }
  /// What it sends when its agent wants to send the first out.size bytes of `buffer`, which it may spoil: the rest is
  /// room. Valid until the next call.
  [[nodiscard]] std::span<const Utterance> say(std::uint32_t agent, const Agent::Outgoing& out,
                                               std::span<std::byte> buffer, std::uint64_t now);

 private:
  static constexpr std::uint32_t kHonest = 0xFFFF'FFFFU;

  struct Liar {
    Random random;
    std::uint64_t prepared_for = 0;  // exchanges begun, and one more; 0: never
    std::uint64_t speaks_at = 0;
    std::uint32_t partner = kPhantom;               // of a slow loris
    std::size_t recorded = 0;                       // frames so far
    std::vector<std::vector<std::byte>> records{};  // the last of them, a ring
  };

  void write_lie(Liar& liar, Params model);
  void record(Liar& liar, std::span<const std::byte> frame) const;
  [[nodiscard]] std::uint32_t random_peer(Liar& liar, std::uint32_t agent) const;
  [[nodiscard]] ConstParams victim(Liar& liar) const;

  const Lie kind_;
  const Topology& topology_;
  const Swarm& swarm_;
  std::vector<std::uint32_t> honest_{};
  std::vector<std::uint32_t> place_;  // of each agent, among the liars
  std::vector<Liar> liars_{};
  std::vector<float> initial_{};  // model, for the frozen ones
  std::vector<Utterance> said_{};
};

}  // namespace popsgd::sim
