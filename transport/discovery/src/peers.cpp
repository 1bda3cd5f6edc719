#include <popsgd/assert.h>
#include <popsgd/discovery/peers.h>

#include <algorithm>

namespace popsgd::discovery {
namespace {

/// Draws one of those that are offered one after another, each with equal chance.
class Draw {
 public:
  explicit Draw(Random& random) : random_(random) {}
  [[nodiscard]] bool takes_next() { return random_.below(++offered_) == 0; }

 private:
  Random& random_;
  std::uint32_t offered_ = 0;
};

// Alive as far as one knows, and of use to somebody at `far`.
const Route* worth_telling(const Peer& peer, const Address& far) {
  for (const Route& route : peer.routes()) {
    const bool alive = peer.connected || route.source == Source::beacon || route.source == Source::hello;
    const Address& address = route.endpoint.address;
    const bool of_use = !is_link_local(address) && (!is_loopback(address) || is_loopback(far));
    if (alive && of_use && route.failures == 0) return &route;
  }
  return nullptr;
}

}  // namespace

bool Peer::stays() const {
  return connected || std::any_of(routes().begin(), routes().end(),
                                  [](const Route& route) { return route.source == Source::configured; });
}

Peers::Peers(std::span<Peer> places, std::uint64_t own, const PeersConfig& config, const Random& random)
    : places_(places), own_(own), config_(config), random_(random) {
  POPSGD_ASSERT(config.first_retry >= 2 && config.first_retry <= config.last_retry);
  std::fill(places_.begin(), places_.end(), Peer{});
}

// --- who is where

Peers::Learned Peers::learn(std::uint64_t id, const Endpoint& endpoint, Source source, Time now) {
  if (id == own_ || own(endpoint)) return {.refusal = Refusal::own};
  Route* route = nullptr;
  Peer* there = holder(endpoint, route);
  if (there == nullptr) return enter(id, {.endpoint = endpoint, .source = source, .again = now}, now);
  route->source = std::max(route->source, source);
  if (id == 0) return {};
  if (there->id != id) return rename(*there, *route, id, source, now);
  there->heard = now;
  return {};
}

// It was not known who is there, or it is somebody else than was known.
Peers::Learned Peers::rename(Peer& there, Route& route, std::uint64_t id, Source source, Time now) {
  // A beacon is anybody's word: it does not take the address of a peer that one is linked with.
  if (there.connected && source == Source::beacon) return {};
  const bool known = by_id(id) != nullptr;
  if (!known && there.connected && free_place() == nullptr) return {.refusal = Refusal::no_room};
  route.failures = 0;
  if (known || there.connected) {
    const Route moved = route;
    remove_route(there, route);
    return enter(id, moved, now);
  }
  there.id = id;
  there.heard = now;
  route.again = first_dial(there, 0, now);
  return {.news = true};
}

Peers::Learned Peers::enter(std::uint64_t id, const Route& route, Time now) {
  if (Peer* peer = by_id(id); peer != nullptr) {
    Route another = route;
    another.again = first_dial(*peer, peer->count, now);
    peer->heard = now;
    return {.news = add_route(*peer, another)};
  }
  Peer* place = free_place();
  if (place == nullptr) return {.refusal = Refusal::no_room};
  const bool displaces = place->used;
  *place = {.id = id, .heard = now, .used = true};
  place->places[0] = route;
  place->count = 1;
  if (route.source != Source::configured) place->places[0].again = first_dial(*place, 0, now);
  return {.news = !displaces};
}

bool Peers::add_route(Peer& peer, const Route& route) {
  if (peer.count < Peer::kRoutes) {
    peer.places[peer.count++] = route;
    return true;
  }
  Route* worst = nullptr;
  for (Route& candidate : peer.routes()) {
    if (candidate.source == Source::configured) continue;
    if (worst == nullptr || candidate.failures > worst->failures) worst = &candidate;
  }
  // One that works is not given up for one that may not.
  if (worst == nullptr || (worst->failures == 0 && route.source != Source::configured)) return false;
  *worst = route;
  return true;
}

void Peers::remove_route(Peer& peer, Route& route) {
  route = peer.places[--peer.count];
  if (peer.count == 0 && !peer.connected) peer = {};
}

void Peers::is_own(const Endpoint& endpoint) {
  if (!own(endpoint)) own_endpoints_[own_count_++ % own_endpoints_.size()] = endpoint;
  Route* route = nullptr;
  if (Peer* peer = holder(endpoint, route); peer != nullptr) remove_route(*peer, *route);
}

void Peers::set_connected(std::uint64_t id, bool connected, Time now) {
  Peer* peer = by_id(id);
  if (peer == nullptr || peer->connected == connected) return;
  peer->connected = connected;
  peer->heard = now;
  if (connected) return;
  for (std::size_t k = 0; k < peer->count; ++k)
    peer->places[k].again = retry(1, now) + static_cast<std::uint32_t>(k) * config_.stagger;
  if (peer->count == 0) *peer = {};
}

// --- when to dial

void Peers::failed(const Endpoint& endpoint, Time now) {
  Route* route = nullptr;
  if (holder(endpoint, route) == nullptr) return;
  if (route->failures < UINT8_MAX) ++route->failures;
  route->again = retry(route->failures, now);
}

void Peers::succeeded(const Endpoint& endpoint) {
  Route* route = nullptr;
  if (holder(endpoint, route) != nullptr) route->failures = 0;
}

std::size_t Peers::due(Time now, std::span<Endpoint> into) {
  std::size_t count = 0;
  for (Peer& peer : places_) {
    if (!peer.used || peer.connected) continue;
    for (Route& route : peer.routes()) {
      if (!route.again.reached(now)) continue;
      if (count == into.size()) return count;
      into[count++] = route.endpoint;
      route.again = now + config_.patience;
    }
  }
  return count;
}

void Peers::expire(Time now) {
  for (Peer& peer : places_) {
    if (peer.used && !peer.stays() && (peer.heard + config_.forget).reached(now)) peer = {};
  }
}

std::optional<Time> Peers::deadline() const {
  std::optional<Time> next;
  const auto consider = [&next](Time time) { next = next ? earlier(*next, time) : time; };
  for (const Peer& peer : places_) {
    if (!peer.used || peer.connected) continue;
    for (const Route& route : peer.routes()) consider(route.again);
    if (!peer.stays()) consider(peer.heard + config_.forget);
  }
  return next;
}

Time Peers::first_dial(const Peer& peer, std::size_t route, Time now) const {
  const std::uint32_t yield = peer.id != 0 && peer.id < own_ ? config_.yield : 0;
  return now + yield + static_cast<std::uint32_t>(route) * config_.stagger;
}

Time Peers::retry(std::uint8_t failures, Time now) {
  const int doublings = std::clamp(failures - 1, 0, 24);
  const std::uint64_t longest =
      std::min<std::uint64_t>(std::uint64_t{config_.first_retry} << doublings, config_.last_retry);
  const auto wait = static_cast<std::uint32_t>(longest);
  return now + wait / 2 + random_.below(wait - wait / 2);
}

// --- whom to tell of

std::size_t Peers::sample(std::uint64_t to, const Address& far, std::span<Endpoint> into) {
  std::size_t offered = 0;
  for (const Peer& peer : places_) {
    if (!peer.used || peer.id == 0 || peer.id == to) continue;
    const Route* route = worth_telling(peer, far);
    if (route == nullptr) continue;
    // Reservoir sampling (Vitter, Random Sampling with a Reservoir, 1985, algorithm R).
    const std::size_t place =
        offered < into.size() ? offered : random_.below(static_cast<std::uint32_t>(offered) + 1);
    ++offered;
    if (place < into.size()) into[place] = route->endpoint;
  }
  return std::min(offered, into.size());
}

// --- looking up

bool Peers::own(const Endpoint& endpoint) const {
  const auto known = std::span(own_endpoints_).first(std::min(own_count_, own_endpoints_.size()));
  return std::find(known.begin(), known.end(), endpoint) != known.end();
}

Peer* Peers::holder(const Endpoint& endpoint, Route*& route) {
  for (Peer& peer : places_) {
    for (Route& candidate : peer.routes()) {
      if (candidate.endpoint != endpoint) continue;
      route = &candidate;
      return &peer;
    }
  }
  return nullptr;
}

Peer* Peers::by_id(std::uint64_t id) {
  if (id == 0) return nullptr;
  for (Peer& peer : places_) {
    if (peer.used && peer.id == id) return &peer;
  }
  return nullptr;
}

Peer* Peers::free_place() {
  Peer* drawn = nullptr;
  Draw draw(random_);
  for (Peer& peer : places_) {
    if (!peer.used) return &peer;
    if (!peer.stays() && draw.takes_next()) drawn = &peer;
  }
  return drawn;
}

const Peer* Peers::find(std::uint64_t id) const {
  return const_cast<Peers*>(this)->by_id(id);
}

const Peer* Peers::find(const Endpoint& endpoint) const {
  Route* route = nullptr;
  return const_cast<Peers*>(this)->holder(endpoint, route);
}

std::size_t Peers::size() const {
  return static_cast<std::size_t>(
      std::count_if(places_.begin(), places_.end(), [](const Peer& peer) { return peer.used; }));
}

}  // namespace popsgd::discovery
