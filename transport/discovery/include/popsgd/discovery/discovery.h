// Finding peers: beacons, the table of who is known, hellos and the exchange of addresses, in one object without I/O.
#pragma once

#include <popsgd/discovery/hello.h>
#include <popsgd/discovery/peers.h>
#include <popsgd/discovery/trickle.h>
#include <popsgd/link.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::discovery {

struct Config {
  std::uint64_t swarm = 0;     ///< swarm_tag()
  std::uint64_t id = 0;        ///< from the entropy of the platform, anew at each start; not 0
  std::uint64_t seed = 0;      ///< of all that is drawn here; another for each agent
  std::uint16_t tcp_port = 0;  ///< where this agent listens; 0: it does not
  std::uint16_t udp_port = 0;
  bool dials_tcp = true;  ///< what it can dial; TCP where the peer has both
  bool dials_udp = false;
  bool announces = true;  ///< sends beacons; they are heard in any case
  /// Of the swarm, if it has one: beacons carry its code, and those that do not are ignored. The caller's; outlives this.
  BeaconKey* key = nullptr;
  /// Codes looked at in a second; what else comes in it is ignored, so that no flood of beacons costs more than this.
  std::uint16_t checks = 100;
  TrickleConfig beacons{};
  /// Whom else one knows is told to one link at a time, drawn at random.
  TrickleConfig exchanges{.shortest = 1'000, .doublings = 5, .redundancy = 0};
  PeersConfig peers{};
  std::uint32_t hello_retry = 1'000;  ///< ms: a hello may be lost, where the link is not reliable
  std::uint8_t hello_tries = 5;       ///< then the link is given up: at first, and when doubt() was raised
};

/// A link as the platform numbers it. A number may be used again when the link is closed.
enum class LinkId : std::uint32_t {};

/// A link that is open: its other end, and what is to be sent to it.
struct Contact {
  enum class State : std::uint8_t { free, greeting, met, closing };

  LinkId link{};
  Endpoint far{};          ///< what was dialled, or where it came from
  std::uint64_t peer = 0;  ///< id; 0 until it has said hello
  Time due{};              ///< of the next hello, while greeting; then when it was met
  State state = State::free;
  bool dialled = false;  ///< by this agent
  bool owes_hello = false;
  bool owes_peers = false;
  std::uint8_t tries = 0;
  std::uint8_t asked = 0;  ///< times, whether the peer is still there; since it was last heard of
  Time ask{};              ///< when to ask again
};

/// What the platform is to do.
struct Action {
  enum class Kind : std::uint8_t {
    nothing,   ///< until deadline(), or until something happens
    announce,  ///< send `bytes` to all, e.g. by multicast
    dial,      ///< open a link to `endpoint`; then opened() or failed()
    send,      ///< send `bytes` on `link`
    close,     ///< close `link`, as its other end is no use; closed() need not follow
  };
  Kind kind = Kind::nothing;
  LinkId link{};
  Endpoint endpoint{};
  std::span<const std::byte> bytes{};  ///< valid until the next call
};

/// What has happened so far.
struct Counts {
  std::uint32_t beacons_sent = 0;
  std::uint32_t beacons_heard = 0;  ///< of the swarm's other agents
  std::uint32_t dials = 0;
  std::uint32_t doubles = 0;  ///< second links to a peer, closed
  Refusals beacons{};
  Refusals messages{};   ///< of hello and peers
  Refusals addresses{};  ///< told by peers
};

/// Memory for as many peers, and for twice as many links: each may be dialled from both ends.
template <std::size_t Capacity = kHostPeers>
struct Memory {
  std::array<Peer, Capacity> peers{};
  std::array<Contact, 2 * Capacity> contacts{};
};

/// Drives beacon, table and hello. Tell it what happens, then call poll() until it returns `nothing`:
///
///     multicast --heard()-------->  +-----------+  --announce-->  multicast
///     links ----opened(), failed()  | Discovery |  --dial------>  links
///           ----received()------->  |           |  --send------>
///           ----closed()--------->  +-----------+  --close----->
///
/// An unknown id is an inconsistency in the sense of RFC 6206: so newcomers are answered quickly, by a few. Whoever hears of
/// them dials them; both then say hello and tell each other whom else they know, which is what makes all know all though
/// most beacons are suppressed. An agent is linked with all that it knows of, as far as its memory goes.
///
/// Messages prove nothing: what they say is dialled, no more. Config::key keeps out the beacons of whoever does not have the
/// swarm's key, not those that somebody has recorded and sends again: the worst that such a one leads to is a dial.
class Discovery {
 public:
  /// All memory is the caller's, emptied, and must outlive this.
  Discovery(const Config& config, std::span<Peer> peers, std::span<Contact> contacts, Time now);
  template <std::size_t Capacity>
  Discovery(const Config& config, Memory<Capacity>& memory, Time now)
      : Discovery(config, memory.peers, memory.contacts, now) {}

  /// A static peer, never forgotten. none, own, no_room, or what worth_dialling() says.
  Refusal add(const Endpoint& endpoint, Time now);
  /// One of this machine's addresses, at which this agent listens. It finds out itself, but later.
  void is_own(const Endpoint& endpoint) { peers_.is_own(endpoint); }
  /// The network has changed, e.g. an interface has appeared: beacons begin anew.
  void network_changed(Time now) { beacons_.inconsistent(now); }

  /// A beacon, or anything else that came where beacons come, from `from` (whose port is not looked at).
  Refusal heard(std::span<const std::byte> beacon, const Address& from, Time now);

  /// A link is open: `far` is what was dialled, or where it came from. no_room: to be closed, and not heard of again.
  [[nodiscard]] Refusal opened(LinkId link, const Endpoint& far, bool dialled, Time now);
  /// Nobody was reached there.
  void failed(const Endpoint& endpoint, Time now) { peers_.failed(endpoint, now); }
  /// A message for which is_hello() or is_peers() holds. What is refused changes nothing, or has the link closed.
  Refusal received(LinkId link, std::span<const std::byte> message, Time now);
  /// A link on which the peer has been silent for too long, in the platform's eyes: it is asked, by hello, which every peer
  /// answers. If it does not, time and again, the link is closed.
  void doubt(LinkId link, Time now);
  /// Anything else has come over the link, which dispels doubt.
  void alive(LinkId link);
  /// Whether an answer is overdue: no frames should be sent until it has come.
  [[nodiscard]] bool silent(LinkId link) const;
  /// The link is gone.
  void closed(LinkId link, Time now);

  /// What to do next; to be called until it says nothing, after every call above and at deadline().
  [[nodiscard]] Action poll(Time now);
  [[nodiscard]] Time deadline() const;

  /// Whether frames may go over the link: hello has come, from an agent of this swarm, and it is not to be closed.
  [[nodiscard]] bool met(LinkId link) const;
  /// Who is at its other end; 0 until met.
  [[nodiscard]] std::uint64_t peer(LinkId link) const;
  [[nodiscard]] const Peers& peers() const { return peers_; }
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  [[nodiscard]] Contact* find(LinkId link);
  [[nodiscard]] const Contact* find(LinkId link) const;
  [[nodiscard]] bool linked(std::uint64_t peer) const;
  [[nodiscard]] Refusal proven(std::span<const std::byte> beacon, const Announcement& said, Time now);
  void begin_second(Time now);
  [[nodiscard]] Refusal reachable(const Announcement& said, const Address& from, Endpoint& endpoint) const;
  [[nodiscard]] Announcement announcement(std::uint8_t flags) const;
  Refusal note(const Peers::Learned& learned, Time now);
  Refusal greeted(Contact& contact, std::span<const std::byte> message, Time now);
  Refusal told(Contact& contact, std::span<const std::byte> message, Time now);
  void meet(Contact& contact, const Announcement& said, Time now);
  void drop_double(Contact& newer, Time now);
  void give_up(Contact& contact, Time now);
  [[nodiscard]] Action serve(Contact& contact, Time now);
  [[nodiscard]] Action greet(const Contact& contact, std::uint8_t flags);
  [[nodiscard]] Action send_peers(Contact& contact);
  [[nodiscard]] Action announce();
  void pick_exchange();

  Config config_;
  Trickle beacons_;
  Trickle exchanges_;
  Random random_;
  Peers peers_;
  std::span<Contact> contacts_;
  Counts counts_{};
  Time second_{};              // when the one began ...
  std::uint16_t checked_ = 0;  // ... in which so many codes have been looked at
  AnnouncementBytes announcement_{};
  PeersBytes list_{};
};

}  // namespace popsgd::discovery
