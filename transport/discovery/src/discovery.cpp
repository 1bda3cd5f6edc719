#include <popsgd/assert.h>
#include <popsgd/discovery/discovery.h>

#include <algorithm>

namespace popsgd::discovery {
namespace {

constexpr std::uint32_t kSecond = 1'000;

enum Stream : std::uint32_t { kBeacons, kExchanges, kPeers, kLinks };

Random stream(const Config& config, Stream index) {
  return {config.seed, Purpose::discovery, index};
}

}  // namespace

Discovery::Discovery(const Config& config, std::span<Peer> peers, std::span<Contact> contacts, Time now)
    : config_(config),
      beacons_(config.beacons, stream(config, kBeacons), now),
      exchanges_(config.exchanges, stream(config, kExchanges), now),
      random_(stream(config, kLinks)),
      peers_(peers, config.id, config.peers, stream(config, kPeers)),
      contacts_(contacts),
      second_(now) {
  POPSGD_ASSERT(config.id != 0);
  std::fill(contacts_.begin(), contacts_.end(), Contact{});
}

Refusal Discovery::add(const Endpoint& endpoint, Time now) {
  const Refusal refusal = worth_dialling(endpoint.address, endpoint.address);
  if (refusal != Refusal::none) return refusal;
  return peers_.learn(0, endpoint, Source::configured, now).refusal;
}

// --- beacons

Refusal Discovery::heard(std::span<const std::byte> beacon, const Address& from, Time now) {
  Announcement said;
  Endpoint endpoint;
  Refusal refusal = decode_beacon(beacon, said);
  if (refusal == Refusal::none) refusal = reachable(said, from, endpoint);
  if (refusal == Refusal::none) refusal = proven(beacon, said, now);
  if (refusal != Refusal::none) return counts_.beacons.count(refusal);

  ++counts_.beacons_heard;
  const bool known = peers_.knows(said.id);
  const Peers::Learned learned = peers_.learn(said.id, endpoint, Source::beacon, now);
  if (!known) peers_.set_connected(said.id, linked(said.id), now);
  if (!known && learned.news)
    beacons_.inconsistent(now);
  else
    beacons_.consistent();
  return note(learned, now);
}

// Asked last, as it costs more than all the rest.
Refusal Discovery::proven(std::span<const std::byte> beacon, const Announcement& said, Time now) {
  if (config_.key == nullptr) return said.keyed ? Refusal::keyed : Refusal::none;
  if (said.keyed && config_.key->accepts(said.epoch)) {
    begin_second(now);
    if (checked_ == config_.checks) return Refusal::too_many;
    ++checked_;
  }
  return proves(beacon, said, *config_.key);
}

// Also called by poll(), as a second that lies further back than 24 days would seem to be one to come.
void Discovery::begin_second(Time now) {
  if (!(second_ + kSecond).reached(now)) return;
  second_ = now;
  checked_ = 0;
}

// Whether it is another agent of the swarm, and where it can be dialled, if it is at this address.
Refusal Discovery::reachable(const Announcement& said, const Address& from, Endpoint& endpoint) const {
  if (said.swarm != config_.swarm) return Refusal::other_swarm;
  if (said.id == config_.id) return Refusal::own;
  endpoint.address = from;
  endpoint.address.port = 0;
  if (config_.dials_udp && said.udp_port != 0) {
    endpoint.transport = Transport::udp;
    endpoint.address.port = said.udp_port;
  }
  if (config_.dials_tcp && said.tcp_port != 0) {
    endpoint.transport = Transport::tcp;
    endpoint.address.port = said.tcp_port;
  }
  return worth_dialling(endpoint.address, from);
}

Refusal Discovery::note(const Peers::Learned& learned, Time now) {
  if (learned.news) exchanges_.inconsistent(now);
  return counts_.addresses.count(learned.refusal);
}

Action Discovery::announce() {
  const Announcement said = announcement(0);
  announcement_ = config_.key != nullptr ? encode_beacon(said, *config_.key) : encode_beacon(said);
  ++counts_.beacons_sent;
  return {.kind = Action::Kind::announce, .bytes = announcement_};
}

Announcement Discovery::announcement(std::uint8_t flags) const {
  return {.swarm = config_.swarm,
          .id = config_.id,
          .tcp_port = config_.tcp_port,
          .udp_port = config_.udp_port,
          .flags = flags};
}

// --- links

Refusal Discovery::opened(LinkId link, const Endpoint& far, bool dialled, Time now) {
  closed(link, now);
  Contact* place = nullptr;
  for (Contact& contact : contacts_) {
    if (contact.state == Contact::State::free) place = &contact;
  }
  if (place == nullptr) return counts_.messages.count(Refusal::no_room);
  *place = {.link = link, .far = far, .due = now, .state = Contact::State::greeting, .dialled = dialled};
  return Refusal::none;
}

void Discovery::closed(LinkId link, Time now) {
  Contact* contact = find(link);
  if (contact == nullptr) return;
  give_up(*contact, now);
  *contact = {};
}

Refusal Discovery::received(LinkId link, std::span<const std::byte> message, Time now) {
  Contact* contact = find(link);
  if (contact == nullptr || contact->state == Contact::State::closing)
    return counts_.messages.count(Refusal::unknown_link);
  contact->asked = 0;
  const Refusal refusal = is_peers(message) ? told(*contact, message, now) : greeted(*contact, message, now);
  return counts_.messages.count(refusal);
}

Refusal Discovery::greeted(Contact& contact, std::span<const std::byte> message, Time now) {
  Announcement said;
  Refusal refusal = decode_hello(message, said);
  if (refusal == Refusal::none && said.swarm != config_.swarm) refusal = Refusal::other_swarm;
  if (refusal == Refusal::none && said.id == config_.id) refusal = Refusal::own;
  // Whoever was there has restarted, or is none of ours: a new link will tell.
  const bool changed = contact.peer != 0 && contact.peer != said.id;
  if (refusal == Refusal::own && contact.dialled) peers_.is_own(contact.far);
  if (refusal == Refusal::own || refusal == Refusal::other_swarm || refusal == Refusal::unknown_version ||
      (refusal == Refusal::none && changed))
    give_up(contact, now);
  if (refusal != Refusal::none || changed) return refusal;

  // On a link that loses, it may be that the peer has not heard ours; and once we have met, it asks whether we are there.
  const bool asks = contact.far.transport == Transport::udp || contact.peer != 0;
  if (asks && (said.flags & kAnswered) == 0) contact.owes_hello = true;
  if (contact.peer == 0) meet(contact, said, now);
  return Refusal::none;
}

void Discovery::meet(Contact& contact, const Announcement& said, Time now) {
  // The first hello is still to be sent if nobody has polled since the link was opened.
  if (contact.tries == 0) contact.owes_hello = true;
  contact.state = Contact::State::met;
  contact.peer = said.id;
  contact.due = now;
  contact.owes_peers = true;
  const Address& from = contact.far.address;
  Endpoint endpoint = contact.far;
  const Refusal refusal = contact.dialled ? worth_dialling(from, from) : reachable(said, from, endpoint);
  if (refusal == Refusal::none) note(peers_.learn(said.id, endpoint, Source::hello, now), now);
  if (contact.dialled) peers_.succeeded(contact.far);
  peers_.set_connected(said.id, true, now);
  drop_double(contact, now);
}

// Two links in the same direction are the dialler's to tidy up: the ends might not agree about which is the newer.
void Discovery::drop_double(Contact& newer, Time now) {
  for (Contact& other : contacts_) {
    if (&other == &newer || other.state != Contact::State::met || other.peer != newer.peer) continue;
    if (other.dialled == newer.dialled && !newer.dialled) continue;
    // Nobody dials a peer it is linked with. If it was some time ago that we met, the peer has lost that link, and knows it.
    const bool crossing = now.since(other.due) < static_cast<std::int32_t>(config_.peers.patience);
    const bool newer_stays =
        other.dialled != newer.dialled && (!crossing || stays(config_.id, newer.peer, newer.dialled));
    ++counts_.doubles;
    give_up(newer_stays ? other : newer, now);
    if (!newer_stays) return;
  }
}

void Discovery::doubt(LinkId link, Time now) {
  Contact* contact = find(link);
  if (contact == nullptr || contact->state != Contact::State::met || contact->asked > 0) return;
  contact->asked = 1;
  contact->ask = now;
}

void Discovery::alive(LinkId link) {
  if (Contact* contact = find(link)) contact->asked = 0;
}

// Doubt is 1, the first question makes it 2, and it is overdue when there is need of a second one.
bool Discovery::silent(LinkId link) const {
  const Contact* contact = find(link);
  return contact != nullptr && contact->state == Contact::State::met && contact->asked > 2;
}

// Idempotent.
void Discovery::give_up(Contact& contact, Time now) {
  const bool met = contact.state == Contact::State::met;
  const bool greeting = contact.state == Contact::State::greeting;
  contact.state = Contact::State::closing;
  if (met && !linked(contact.peer)) peers_.set_connected(contact.peer, false, now);
  if (greeting && contact.dialled) peers_.failed(contact.far, now);
}

// --- the exchange of addresses

Refusal Discovery::told(Contact& contact, std::span<const std::byte> message, Time now) {
  if (contact.state != Contact::State::met) return Refusal::no_hello;
  PeerList list;
  const Refusal refusal = decode_peers(message, list);
  if (refusal != Refusal::none) return refusal;
  for (const Endpoint& endpoint : list.all()) {
    const bool spoken = endpoint.transport == Transport::tcp ? config_.dials_tcp : config_.dials_udp;
    const Refusal worth = spoken ? worth_dialling(endpoint.address, contact.far.address) : Refusal::no_port;
    if (worth == Refusal::none)
      note(peers_.learn(0, endpoint, Source::exchange, now), now);
    else
      counts_.addresses.count(worth);
  }
  return Refusal::none;
}

Action Discovery::send_peers(Contact& contact) {
  std::array<Endpoint, kPeersPerMessage> chosen{};
  const std::size_t count = peers_.sample(contact.peer, contact.far.address, chosen);
  const std::size_t length = encode_peers(std::span(chosen).first(count), list_);
  contact.owes_peers = false;
  return {.kind = Action::Kind::send, .link = contact.link, .bytes = std::span(list_).first(length)};
}

void Discovery::pick_exchange() {
  Contact* drawn = nullptr;
  std::uint32_t offered = 0;
  for (Contact& contact : contacts_) {
    if (contact.state == Contact::State::met && random_.below(++offered) == 0) drawn = &contact;
  }
  if (drawn != nullptr) drawn->owes_peers = true;
}

// --- what to do next

Action Discovery::poll(Time now) {
  begin_second(now);
  peers_.expire(now);
  for (Contact& contact : contacts_) {
    const Action action = serve(contact, now);
    if (action.kind != Action::Kind::nothing) return action;
  }
  if (config_.announces && beacons_.poll(now)) return announce();
  if (exchanges_.poll(now)) pick_exchange();
  for (Contact& contact : contacts_) {
    if (contact.owes_peers && contact.state == Contact::State::met) return send_peers(contact);
  }
  Endpoint endpoint;
  if (peers_.due(now, std::span(&endpoint, 1)) == 0) return {};
  ++counts_.dials;
  return {.kind = Action::Kind::dial, .endpoint = endpoint};
}

Action Discovery::serve(Contact& contact, Time now) {
  if (contact.state == Contact::State::free) return {};
  const bool impatient = contact.state == Contact::State::greeting && contact.due.reached(now);
  const bool doubtful = contact.state == Contact::State::met && contact.asked > 0 && contact.ask.reached(now);
  if (impatient && contact.tries >= config_.hello_tries) give_up(contact, now);
  if (doubtful && contact.asked > config_.hello_tries) give_up(contact, now);
  if (contact.state == Contact::State::closing) {
    const LinkId link = contact.link;
    contact = {};
    return {.kind = Action::Kind::close, .link = link};
  }
  if (doubtful) {
    contact.ask = now + config_.hello_retry;
    ++contact.asked;
    return greet(contact, 0);
  }
  if (!impatient && !contact.owes_hello) return {};
  if (impatient) contact.due = now + config_.hello_retry;
  ++contact.tries;
  contact.owes_hello = false;
  return greet(contact, contact.peer != 0 ? kAnswered : 0);
}

Action Discovery::greet(const Contact& contact, std::uint8_t flags) {
  announcement_ = encode_hello(announcement(flags));
  return {.kind = Action::Kind::send, .link = contact.link, .bytes = announcement_};
}

Time Discovery::deadline() const {
  Time next = exchanges_.deadline();
  if (config_.announces) next = earlier(next, beacons_.deadline());
  if (const auto peers = peers_.deadline()) next = earlier(next, *peers);
  for (const Contact& contact : contacts_) {
    if (contact.state == Contact::State::greeting) next = earlier(next, contact.due);
    if (contact.state == Contact::State::met && contact.asked > 0) next = earlier(next, contact.ask);
  }
  return next;
}

// --- looking up

bool Discovery::met(LinkId link) const {
  return peer(link) != 0;
}

std::uint64_t Discovery::peer(LinkId link) const {
  const Contact* contact = find(link);
  return contact != nullptr && contact->state == Contact::State::met ? contact->peer : 0;
}

bool Discovery::linked(std::uint64_t peer) const {
  return std::any_of(contacts_.begin(), contacts_.end(), [peer](const Contact& contact) {
    return contact.state == Contact::State::met && contact.peer == peer;
  });
}

Contact* Discovery::find(LinkId link) {
  for (Contact& contact : contacts_) {
    if (contact.state != Contact::State::free && contact.link == link) return &contact;
  }
  return nullptr;
}

const Contact* Discovery::find(LinkId link) const {
  return const_cast<Discovery*>(this)->find(link);
}

}  // namespace popsgd::discovery
