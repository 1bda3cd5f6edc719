// A device that learns, and that averages with whoever is at the other ends of its links.
#pragma once

#include "learner.h"

#include <popsgd/agent.h>
#include <popsgd/clock.h>
#include <popsgd/entropy.h>
#include <popsgd/link.h>
#include <popsgd/parts.h>
#include <popsgd/store.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace firmware {

/// What the board must bring.
struct Services {
  popsgd::Clock& clock;
  popsgd::Entropy& entropy;
};

/// How often it does what; milliseconds.
struct Pace {
  std::uint32_t step = 50;
  std::uint32_t meet = 2000;  ///< on average
};

/// Memory of a node with so many links, but for its learner's.
template <std::size_t Links>
struct NodeMemory {
  std::array<popsgd::Link*, Links> links{};
  alignas(
      8) std::array<std::byte, (popsgd::has(popsgd::Part::gate) ? 3088 : 2880) + 64 * (Links - 1)> workspace;
};

/// All of the device but for its links. These call it as their user; it closes none of them.
class Node final : public popsgd::LinkUser {
 public:
  static constexpr std::uint16_t kMtu = 256;  ///< bytes of the longest frame

  template <std::size_t Links>
  Node(const Services& services, Learner& learner, NodeMemory<Links>& memory, const Pace& pace = {}) noexcept
      : services_(services),
        learner_(learner),
        pace_(pace),
        links_(memory.links),
        workspace_(memory.workspace) {}

  /// Begins with nothing learned, and without links. no_entropy, or what Agent::init() says.
  [[nodiscard]] popsgd::Status start() noexcept;
  /// As Agent's, for a Keeper. After a restore() that failed, start() has to follow.
  [[nodiscard]] popsgd::Status restore(popsgd::Store& store) noexcept {
    return agent_.restore(store, services_.clock.now());
  }
  [[nodiscard]] popsgd::Status save(popsgd::Store& store) noexcept { return agent_.save(store); }
  /// One turn of the main loop, after links were given what has come; when the next is due if nothing comes before.
  popsgd::Time turn() noexcept;

  /// Its peer may be met, before it has spoken. If nobody is there, every offer costs the time it waits for an answer. no_room: not
  /// this one.
  [[nodiscard]] popsgd::Status join(popsgd::Link& link) noexcept;

  [[nodiscard]] const popsgd::Agent& agent() const noexcept { return agent_; }

  void received(popsgd::Link& link, std::span<const std::byte> frame) noexcept override;
  void writable(popsgd::Link& link) noexcept override;
  void closed(popsgd::Link& link) noexcept override;

 private:
  [[nodiscard]] popsgd::AgentConfig config(std::uint64_t seed) const noexcept;
  void send() noexcept;
  [[nodiscard]] bool pass_on(popsgd::Time now) noexcept;
  [[nodiscard]] std::size_t place(const popsgd::Link* link) const noexcept;

  Services services_;
  Learner& learner_;
  Pace pace_;
  popsgd::Agent agent_;
  std::span<popsgd::Link*> links_;  // a peer is its link's place; null: free
  std::span<std::byte> workspace_;
  alignas(8) std::array<std::byte, kMtu> frame_;
  popsgd::Agent::Outgoing waiting_{{}, 0};  // what of `frame_` a link had no room for,
  popsgd::Time waits_until_{};              // and until when it is offered to it again
  popsgd::Time step_due_{};
};

}  // namespace firmware
