#include "node.h"

#include <algorithm>

namespace firmware {
namespace {

using namespace popsgd;

// For how long a frame waits for a link that is full, ms. Then it is lost, as frames may be, so that neither the agent's own patience
// nor its other peers wait for that link for ever.
constexpr std::uint32_t kPatience = 2000;

constexpr std::uint32_t kBlock = 130;  // parameters: of a block two copies lie in memory as it crosses

PeerId peer_at(std::size_t place) {
  return PeerId{static_cast<std::uint32_t>(place)};
}

}  // namespace

AgentConfig Node::config(std::uint64_t seed) const noexcept {
  AgentConfig config{.seed = seed};
  config.mean_wait = pace_.meet;
  config.block_length = kBlock;
  config.largest_frame = kMtu;
  config.window = 1;
  config.peers = static_cast<std::uint16_t>(links_.size());
  config.finished = 2;
  config.quantise.width = Width::automatic;
  config.guarding.gate = false;  // of few partners nobody can tell how far is too far
  return config;
}

Status Node::start() noexcept {
  std::uint64_t seed = 0;
  if (const Status status = services_.entropy.fill(std::as_writable_bytes(std::span(&seed, 1)));
      status != Status::ok)
    return status;
  const Time now = services_.clock.now();
  step_due_ = now;
  waiting_.size = 0;
  std::ranges::fill(links_, nullptr);
  AgentConfig config = this->config(seed);
  return learner_.begin(agent_, config, seed, workspace_, now);
}

Time Node::turn() noexcept {
  const Time now = services_.clock.now();
  if (step_due_.reached(now)) {
    static_cast<void>(agent_.step());
    step_due_ = now + pace_.step;
  }
  send();
  return earlier(step_due_, waiting_.size > 0 ? waits_until_ : agent_.deadline(now));
}

/// All that the agent has to say, as far as links have room.
void Node::send() noexcept {
  const Time now = services_.clock.now();
  while (pass_on(now)) {
    const auto out = agent_.send(frame_, now);
    if (!out) return;
    waiting_ = *out;
    waits_until_ = now + kPatience;
  }
}

/// Whether nothing waits any more. What a lost link was to carry is lost with it.
bool Node::pass_on(Time now) noexcept {
  Link* const link = links_[static_cast<std::size_t>(waiting_.to)];
  const bool stays = waiting_.size > 0 && link != nullptr &&
                     link->send(std::span(frame_).first(waiting_.size)) == Status::no_room &&
                     !waits_until_.reached(now);
  if (!stays) waiting_.size = 0;
  return !stays;
}

std::size_t Node::place(const Link* link) const noexcept {
  return static_cast<std::size_t>(std::ranges::find(links_, link) - links_.begin());
}

Status Node::join(Link& link) noexcept {
  const std::size_t free = place(nullptr);
  if (free == links_.size()) return Status::no_room;
  links_[free] = &link;
  return agent_.add_peer(peer_at(free), link.traits());
}

void Node::received(Link& link, std::span<const std::byte> frame) noexcept {
  if (place(&link) == links_.size()) static_cast<void>(join(link));
  const std::size_t from = place(&link);
  if (from < links_.size()) agent_.receive(peer_at(from), frame, services_.clock.now());
}

void Node::writable(Link&) noexcept {
  send();
}

void Node::closed(Link& link) noexcept {
  const std::size_t lost = place(&link);
  if (lost == links_.size()) return;
  links_[lost] = nullptr;
  agent_.lost_peer(peer_at(lost), services_.clock.now());
}

}  // namespace firmware
