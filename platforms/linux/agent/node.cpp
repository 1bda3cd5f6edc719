#include "agent/node.h"

#include <popsgd/asio/address_text.h>
#include <popsgd/asio/error.h>

#include <algorithm>
#include <utility>

namespace popsgd::command {
namespace {

using discovery::Action;
using discovery::Endpoint;
using discovery::LinkId;
using discovery::Transport;

constexpr std::size_t kLongestFrame = 65535;

// What the protocol has on its way at most, so that a link over TCP is never full: it has 32 chunks, and answers.
constexpr std::size_t kQueue = 40 * (kLongestFrame + 4);

// A peer that lets a frame wait for so long is asked whether it is there; and one that is idle, now and then.
constexpr std::uint32_t kReplyTime = 1'000;
constexpr std::uint32_t kIdle = 30'000;

}  // namespace

Node::Node(net::Loop& loop, SharedAgent& shared, const NodeOptions& options, Tell tell)
    : loop_(loop),
      shared_(shared),
      tell_(std::move(tell)),
      transport_(options.transport),
      stays_here_(options.stays_here),
      frame_((kLongestFrame + 7) / 8),
      timer_(loop, [this] { turn(); }) {
  listen(options);
  if (options.keys) beacon_keys_.emplace(*options.keys);
  const Time now = net::Loop::now();
  const bool tcp = transport_ == Transport::tcp;
  discovery_.emplace(discovery::Config{.swarm = options.swarm,
                                       .id = options.id,
                                       .seed = options.seed,
                                       .tcp_port = tcp ? listening_.port : std::uint16_t{0},
                                       .udp_port = tcp ? std::uint16_t{0} : listening_.port,
                                       .dials_tcp = tcp,
                                       .dials_udp = !tcp,
                                       .announces = options.beacons,
                                       .key = beacon_keys_ ? &*beacon_keys_ : nullptr},
                     memory_, now);
  if (!discovery::is_unspecified(listening_)) discovery_->is_own({listening_, transport_});
  for (const Address& peer : options.peers) {
    const discovery::Refusal refusal = discovery_->add({peer, transport_}, now);
    if (refusal != discovery::Refusal::none && refusal != discovery::Refusal::own)
      throw net::Error("--peer " + net::to_text(peer) + " cannot be dialled: " + std::string(text(refusal)));
  }
  if (options.beacons) {
    const auto heard = [this](std::span<const std::byte> bytes, const Address& from) {
      discovery_->heard(bytes, from, net::Loop::now());
      turn();
    };
    const auto changed = [this](const net::InterfaceUse& use) {
      tell_("interface " + use.text());
      discovery_->network_changed(net::Loop::now());
    };
    multicast_.emplace(loop_,
                       net::MulticastOptions{.loopback = options.loopback, .interfaces = options.interfaces},
                       heard, changed);
  }
  wire(options);
  timer_.at(now);
}

Node::~Node() = default;

void Node::listen(const NodeOptions& options) {
  net::Listener& node = *this;
  if (options.keys) membership_.emplace(loop_, *options.keys, node, tell_);
  net::Listener& listener = membership_ ? *membership_ : node;
  if (transport_ == Transport::tcp) {
    tcp_.emplace(loop_, net::TcpOptions{.links = 2 * discovery::kHostPeers, .queue = kQueue}, listener);
    listening_ = tcp_->listen(options.listen);
  } else {
    udp_.emplace(loop_, net::UdpOptions{.mtu = options.datagram, .strangers = 2 * discovery::kHostPeers},
                 listener);
    listening_ = udp_->listen(options.listen);
  }
}

// A wire's address is its number.
void Node::wire(const NodeOptions& options) {
  const auto count = options.wires.size();
  if (options.keys && !options.plain_wires && count > 0)
    wire_membership_.emplace(
        loop_, *options.keys, wired_, tell_, secure::Options{.cookies = false, .remembered = count},
        secure::Limits{.links = count, .handshakes = count},
        [devices = options.wires](const Address& remote) { return devices[remote.port]; });
  for (std::uint16_t k = 0; k < count; ++k) {
    const auto meet = [this, k](Link& link) -> LinkUser& {
      return wire_membership_ ? wire_membership_->opened(link, {.port = k}, true) : wired(link);
    };
    wires_.push_back(std::make_unique<Wire>(loop_, options.wires[k], options.baud, meet, tell_));
  }
}

LinkUser& Node::wired(Link& link) noexcept {
  const std::uint32_t number = next_++;
  numbers_[&link] = number;
  paths_[number] = {.link = &link, .id = LinkId{number}, .wired = true};
  admit(number, paths_[number]);
  timer_.at(net::Loop::now());
  return *this;
}

void Node::use(const secure::SwarmKeys& keys, bool same_key) {
  beacon_keys_->use(keys);
  membership_->use(keys, same_key);
  if (wire_membership_) wire_membership_->use(keys, same_key);
}

// --- links

LinkUser& Node::opened(Link& link, const Address& remote, bool dialled) noexcept {
  const std::uint32_t number = next_++;
  const Time now = net::Loop::now();
  if (membership_ && udp_) udp_->dial(remote);  // as if dialled: no stranger takes a member's place
  numbers_[&link] = number;
  paths_[number] = {.link = &link, .id = LinkId{number}, .heard = now};
  if (discovery_->opened(LinkId{number}, {remote, transport_}, dialled, now) != discovery::Refusal::none)
    link.close();
  timer_.at(now);
  return *this;
}

void Node::dial_failed(const Address& remote, std::string_view) noexcept {
  discovery_->failed({remote, transport_}, net::Loop::now());
  turn();
}

void Node::received(Link& link, std::span<const std::byte> frame) noexcept {
  const std::uint32_t number = numbers_[&link];
  const Time now = net::Loop::now();
  Path& path = paths_[number];
  path.heard = now;
  path.waiting = false;
  if (!path.wired) discovery_->alive(path.id);
  if (!path.wired && (discovery::is_hello(frame) || discovery::is_peers(frame))) {
    discovery_->received(LinkId{number}, frame, now);
    discover();
  } else if (path.wired || discovery_->met(path.id)) {
    admit(number, path);
    const std::lock_guard lock(shared_.mutex);
    shared_.agent.receive(PeerId{number}, frame, now);
  }
  turn();
}

void Node::writable(Link&) noexcept {
  turn();
}

void Node::closed(Link& link) noexcept {
  const auto found = numbers_.find(&link);
  if (found == numbers_.end()) return;
  const std::uint32_t number = found->second;
  const Time now = net::Loop::now();
  numbers_.erase(found);
  forget(paths_[number]);
  paths_.erase(number);
  discovery_->closed(LinkId{number}, now);
  {
    const std::lock_guard lock(shared_.mutex);
    shared_.agent.lost_peer(PeerId{number}, now);
  }
  timer_.at(now);
}

void Node::forget(Path& path) {
  if (!std::exchange(path.met, false)) return;
  --met_;
  const std::lock_guard lock(shared_.mutex);
  shared_.agent.remove_peer(PeerId{static_cast<std::uint32_t>(path.id)});
}

Node::Path* Node::path(std::uint32_t number) {
  const auto found = paths_.find(number);
  return found == paths_.end() ? nullptr : &found->second;
}

// --- what is due

void Node::turn() {
  doubt_the_silent();
  discover();
  exchange();
  const Time now = net::Loop::now();
  const std::lock_guard lock(shared_.mutex);
  timer_.at(earlier(earlier(discovery_->deadline(), shared_.agent.deadline(now)), doubt_at_));
}

void Node::discover() {
  for (Action action = discovery_->poll(net::Loop::now()); action.kind != Action::Kind::nothing;
       action = discovery_->poll(net::Loop::now()))
    carry(action);
  for (auto& [number, path] : paths_) {
    if (path.wired) continue;
    if (discovery_->silent(path.id))
      forget(path);
    else if (discovery_->met(path.id))
      admit(number, path);
  }
}

void Node::admit(std::uint32_t number, Path& path) {
  if (path.met) return;
  const std::lock_guard lock(shared_.mutex);
  if (shared_.agent.add_peer(PeerId{number}, path.link->traits()) != Status::ok) return;
  path.met = true;
  ++met_;
}

// An offer to a peer that hangs or is gone costs the agent its time-out: it is not to choose that one again.
void Node::doubt_the_silent() {
  const Time now = net::Loop::now();
  doubt_at_ = now + kIdle;
  for (auto& [number, path] : paths_) {
    if (path.wired) continue;
    const Time limit = path.waiting ? path.asked + kReplyTime : path.heard + kIdle;
    if (limit.reached(now))
      discovery_->doubt(path.id, now);
    else
      doubt_at_ = earlier(doubt_at_, limit);
  }
}

void Node::carry(const Action& action) {
  Path* const at = path(static_cast<std::uint32_t>(action.link));
  switch (action.kind) {
    case Action::Kind::announce:
      if (multicast_) multicast_->send(action.bytes);
      break;
    case Action::Kind::dial:
      dial(action.endpoint);
      break;
    case Action::Kind::send:
      if (at != nullptr) static_cast<void>(at->link->send(action.bytes));
      break;
    case Action::Kind::close:
      if (at == nullptr) break;
      forget(*at);
      at->link->close();
      break;
    case Action::Kind::nothing:
      break;
  }
}

// Of an address off this machine a peer may have told.
void Node::dial(const Endpoint& endpoint) {
  if (stays_here_ && !discovery::is_loopback(endpoint.address))
    discovery_->failed(endpoint, net::Loop::now());
  else
    tcp_ ? tcp_->dial(endpoint.address) : udp_->dial(endpoint.address);
}

// A link that cannot take what the protocol allows leads to a peer that does not keep to it.
void Node::exchange() {
  const auto bytes = std::as_writable_bytes(std::span(frame_)).first(kLongestFrame);
  for (;;) {
    std::optional<Agent::Outgoing> out;
    {
      const std::lock_guard lock(shared_.mutex);
      out = shared_.agent.send(bytes, net::Loop::now());
    }
    if (!out) return;
    Path* const to = path(static_cast<std::uint32_t>(out->to));
    if (to == nullptr) continue;
    if (!std::exchange(to->waiting, true)) to->asked = net::Loop::now();
    const bool full = to->link->send(bytes.first(out->size)) == Status::no_room;
    if (full && to->link->traits().reliable) to->link->close();
  }
}

}  // namespace popsgd::command
