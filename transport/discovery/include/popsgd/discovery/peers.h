// Who could be dialled: a bounded table of peers, the addresses each may be at, and when to try which.
#pragma once

#include <popsgd/discovery/endpoint.h>
#include <popsgd/link.h>
#include <popsgd/random.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace popsgd::discovery {

/// How an address was learned; a later one outweighs an earlier one.
enum class Source : std::uint8_t {
  exchange,    ///< somebody else told
  beacon,      ///< the peer told everybody
  hello,       ///< the peer told on a link
  configured,  ///< static: the user told
};

/// All in ms.
struct PeersConfig {
  std::uint32_t first_retry = 1'000;  ///< back-off after a first failure; doubles with each, ...
  std::uint32_t last_retry = 60'000;  ///< ... up to here; what is drawn is in the upper half of it
  std::uint32_t patience = 10'000;    ///< a dial of which nothing is heard for so long is tried again
  std::uint32_t stagger = 250;        ///< between first dials of two addresses of one peer (RFC 8305, 5)
  std::uint32_t yield = 500;          ///< a peer of smaller id is left to dial first for so long
  std::uint32_t forget = 600'000;     ///< not connected and not heard of for so long: gone
};

/// One address of a peer.
struct Route {
  Endpoint endpoint{};
  Source source = Source::exchange;
  std::uint8_t failures = 0;  ///< in a row
  Time again{};               ///< may be dialled from then on
};

struct Peer {
  static constexpr std::size_t kRoutes = 4;

  std::uint64_t id = 0;  ///< 0: not known yet
  Time heard{};          ///< last sign of life from itself, or when somebody else told
  std::array<Route, kRoutes> places{};
  std::uint8_t count = 0;  ///< of routes
  bool used = false;
  bool connected = false;

  [[nodiscard]] std::span<Route> routes() { return std::span(places).first(count); }
  [[nodiscard]] std::span<const Route> routes() const { return std::span(places).first(count); }
  /// Has a configured address, or is connected: never gives way to another.
  [[nodiscard]] bool stays() const;
};

inline constexpr std::size_t kHostPeers = 64;

/// In the caller's memory, which it fills as peers come: kHostPeers on hosts, fewer on devices. When it is full a newcomer takes
/// the place of one drawn at random from those that are neither configured nor connected: no flood of invented
/// addresses can choose whom it drives out, or drive out whoever counts.
///
/// The same id at several addresses is one peer, and so is the same address under several ids: the last, who has restarted.
/// To be looked after (expire(), due()) at least every 24 days.
class Peers {
 public:
  /// `places` are emptied. `own`: this agent's id, which never enters.
  Peers(std::span<Peer> places, std::uint64_t own, const PeersConfig& config, const Random& random);

  struct Learned {
    Refusal refusal = Refusal::none;  ///< own, no_room; else none
    /// A peer or an address that was not known, for which a place was free. What only drives out something else is no news, so
    /// that a crowd larger than the table does not keep everybody excited.
    bool news = false;
  };
  /// Of `id` (0: unknown) at `endpoint`, which is worth dialling. Hearsay (Source::exchange) keeps nobody alive.
  Learned learn(std::uint64_t id, const Endpoint& endpoint, Source source, Time now);
  /// This is where we are ourselves: never to be dialled, even if it is configured. The last 16 are remembered.
  void is_own(const Endpoint& endpoint);

  /// A link to it is open, or no longer. Nobody dials a peer that is connected.
  void set_connected(std::uint64_t id, bool connected, Time now);
  /// Dialling came to nothing: the next try is after the back-off.
  void failed(const Endpoint& endpoint, Time now);
  /// Somebody answered there.
  void succeeded(const Endpoint& endpoint);

  /// All addresses that are due to be dialled now, each once, as many as fit `into`; the number of them. They are taken to be
  /// dialled at once, in parallel: due again after `patience` if neither failed() nor set_connected() is heard.
  std::size_t due(Time now, std::span<Endpoint> into);
  /// Forgets whoever has not been heard of for too long.
  void expire(Time now);
  /// When due() or expire() has something to do next; never, if nothing.
  [[nodiscard]] std::optional<Time> deadline() const;

  /// A random choice of addresses worth telling to a peer `to`, at `far`, one of each peer, as many as fit: of those that are
  /// connected, or whose beacon was heard and whom no dial has failed to reach. So rumours of the dead die out.
  std::size_t sample(std::uint64_t to, const Address& far, std::span<Endpoint> into);

  [[nodiscard]] bool knows(std::uint64_t id) const { return find(id) != nullptr; }
  [[nodiscard]] const Peer* find(std::uint64_t id) const;
  [[nodiscard]] const Peer* find(const Endpoint& endpoint) const;
  [[nodiscard]] std::span<const Peer> places() const { return places_; }  ///< those with `used` set
  [[nodiscard]] std::size_t size() const;

 private:
  [[nodiscard]] bool own(const Endpoint& endpoint) const;
  [[nodiscard]] Peer* holder(const Endpoint& endpoint, Route*& route);
  [[nodiscard]] Peer* by_id(std::uint64_t id);
  [[nodiscard]] Peer* free_place();
  [[nodiscard]] Time first_dial(const Peer& peer, std::size_t route, Time now) const;
  [[nodiscard]] Time retry(std::uint8_t failures, Time now);
  Learned enter(std::uint64_t id, const Route& route, Time now);
  Learned rename(Peer& there, Route& route, std::uint64_t id, Source source, Time now);
  bool add_route(Peer& peer, const Route& route);
  static void remove_route(Peer& peer, Route& route);

  std::span<Peer> places_;
  std::uint64_t own_;
  PeersConfig config_;
  Random random_;
  std::array<Endpoint, 16> own_endpoints_{};
  std::size_t own_count_ = 0;
};

}  // namespace popsgd::discovery
