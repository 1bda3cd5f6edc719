#include "neighbours.h"

#include <algorithm>

namespace firmware {
namespace {

using namespace popsgd;
using discovery::Action;
using discovery::LinkId;
using discovery::Refusal;
using discovery::Transport;

constexpr std::uint32_t kIdle = 30'000;  // ms: who says nothing for so long is asked whether it is there

LinkId number(std::size_t place) {
  return LinkId{static_cast<std::uint32_t>(place)};
}

}  // namespace

Neighbours::Neighbours(Node& node, Clock& clock, const discovery::Config& config, Door* door) noexcept
    : node_(node),
      clock_(clock),
      door_(door),
      discovery_(config, memory_, clock.now()),
      tcp_(door != nullptr ? *door : static_cast<cortex_m::TcpListener&>(*this)) {
  if (door != nullptr) door->lead_to(*this);
}

bool Neighbours::add(const Address& peer) noexcept {
  return discovery_.add({peer, Transport::tcp}, clock_.now()) == Refusal::none;
}

Time Neighbours::turn() noexcept {
  const Time now = clock_.now();
  tcp_.turn();
  const Time door_due = door_ != nullptr ? door_->turn() : now + kIdle;
  doubt_the_silent(now);
  for (Action action = discovery_.poll(now); action.kind != Action::Kind::nothing;
       action = discovery_.poll(now))
    carry(action);
  for (Path& path : paths_) {
    if (path.link == nullptr) continue;
    const LinkId id = number(place(path.link));
    if (discovery_.silent(id))
      forget(path);
    else if (discovery_.met(id) && !path.met)
      path.met = node_.join(*path.link) == Status::ok;
  }
  return earlier(earlier(discovery_.deadline(), door_due), now + kIdle);
}

void Neighbours::carry(const Action& action) noexcept {
  Path* const path = action.kind == Action::Kind::send || action.kind == Action::Kind::close
                         ? &paths_[static_cast<std::size_t>(action.link)]
                         : nullptr;
  switch (action.kind) {
    case Action::Kind::dial:
      tcp_.dial(action.endpoint.address);
      break;
    case Action::Kind::send:
      if (path->link != nullptr) static_cast<void>(path->link->send(action.bytes));
      break;
    case Action::Kind::close:
      if (path->link == nullptr) break;
      forget(*path);
      path->link->close();
      break;
    case Action::Kind::announce:  // it is not asked to
    case Action::Kind::nothing:
      break;
  }
}

void Neighbours::doubt_the_silent(Time now) noexcept {
  for (const Path& path : paths_) {
    if (path.link != nullptr && (path.heard + kIdle).reached(now))
      discovery_.doubt(number(place(path.link)), now);
  }
}

void Neighbours::forget(Path& path) noexcept {
  if (path.met) node_.closed(*path.link);
  path.met = false;
}

std::size_t Neighbours::place(const Link* link) const noexcept {
  return static_cast<std::size_t>(std::ranges::find(paths_, link, &Path::link) - paths_.begin());
}

// --- links

LinkUser& Neighbours::opened(Link& link, const Address& remote, bool dialled) noexcept {
  const Time now = clock_.now();
  const std::size_t free = place(nullptr);  // there are as many places as links
  paths_[free] = {.link = &link, .met = false, .heard = now};
  if (discovery_.opened(number(free), {remote, Transport::tcp}, dialled, now) != Refusal::none) link.close();
  return *this;
}

void Neighbours::dial_failed(const Address& remote) noexcept {
  discovery_.failed({remote, Transport::tcp}, clock_.now());
}

void Neighbours::received(Link& link, std::span<const std::byte> frame) noexcept {
  const std::size_t from = place(&link);
  paths_[from].heard = clock_.now();
  discovery_.alive(number(from));
  if (discovery::is_hello(frame) || discovery::is_peers(frame)) {
    discovery_.received(number(from), frame, clock_.now());
  } else if (discovery_.met(number(from))) {
    paths_[from].met = true;
    node_.received(link, frame);
  }
}

void Neighbours::closed(Link& link) noexcept {
  const std::size_t lost = place(&link);
  forget(paths_[lost]);
  paths_[lost] = {};
  discovery_.closed(number(lost), clock_.now());
}

}  // namespace firmware
