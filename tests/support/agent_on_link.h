// An agent with one peer, over a link.
#pragma once

#include <popsgd/agent.h>
#include <popsgd/link.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace popsgd::test {

/// Hands the agent what comes, and the link what the agent sends. A frame for which there is no room waits, and those behind it.
class AgentOnLink : public LinkUser {
 public:
  explicit AgentOnLink(Agent& agent, std::function<Time()> clock) : agent_(agent), clock_(std::move(clock)) {}

  void begin(Link& link) {
    link_ = &link;
    static_cast<void>(agent_.add_peer(kPeer, link.traits()));
    pump();
  }
  /// To be called whenever the agent is due, and after every other call of it.
  void pump() {
    const Time now = clock_();
    const auto bytes = std::as_writable_bytes(std::span(buffer_));
    while (link_ != nullptr) {
      if (held_ == 0) {
        const auto out = agent_.send(bytes, now);
        if (!out) return;
        held_ = out->size;
      }
      if (link_->send(bytes.first(held_)) == Status::no_room) return;
      held_ = 0;
    }
  }

  void received(Link&, std::span<const std::byte> frame) noexcept override {
    agent_.receive(kPeer, frame, clock_());
    pump();
  }
  void writable(Link&) noexcept override { pump(); }
  void closed(Link&) noexcept override { link_ = nullptr; }

  static constexpr PeerId kPeer{1};

 private:
  Agent& agent_;
  std::function<Time()> clock_;
  Link* link_ = nullptr;
  std::vector<std::uint64_t> buffer_ = std::vector<std::uint64_t>(8192);
  std::size_t held_ = 0;
};

}  // namespace popsgd::test
