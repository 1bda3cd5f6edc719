// The agent on its network: links, whom they lead to, and frames to and fro.
#pragma once

#include "agent/beacon_keys.h"
#include "agent/membership.h"
#include "agent/shared_agent.h"
#include "agent/wire.h"

#include <popsgd/asio/listener.h>
#include <popsgd/asio/loop.h>
#include <popsgd/asio/multicast.h>
#include <popsgd/asio/tcp.h>
#include <popsgd/asio/udp.h>
#include <popsgd/discovery/discovery.h>
#include <popsgd/secure/context.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace popsgd::command {

struct NodeOptions {
  discovery::Transport transport = discovery::Transport::tcp;
  Address listen{};                     ///< all zero: any of this machine's addresses, any port
  std::vector<Address> peers;           ///< static ones
  std::vector<std::string> wires;       ///< serial ports, each with a peer at its other end
  std::uint32_t baud = 115200;          ///< bits a second, of all of them
  bool plain_wires = false;             ///< whoever is there is met, also where there are keys
  bool beacons = true;                  ///< multicast; else only static peers, and those they tell of
  bool loopback = false;                ///< beacons on the loopback interface, too
  std::vector<std::string> interfaces;  ///< only these; empty: all
  std::uint16_t datagram = 1200;        ///< UDP: bytes of the longest frame; net::UdpOptions::automatic
  std::uint64_t swarm = 0;              ///< discovery::swarm_tag()
  std::uint64_t id = 0;
  std::uint64_t seed = 0;
  std::optional<secure::SwarmKeys> keys;  ///< only members are met; none: anybody, in plain text
  bool stays_here = false;                ///< dials this machine's loopback addresses only
};

/// All on the loop's thread. What is worth saying to a person goes to `tell`.
class Node final : net::Listener, LinkUser {
 public:
  using Tell = std::function<void(const std::string& line)>;

  /// Listens at once. Throws net::Error.
  Node(net::Loop& loop, SharedAgent& shared, const NodeOptions& options, Tell tell);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  Node(Node&&) = delete;
  Node& operator=(Node&&) = delete;

  /// Of a node that has keys: new links and beacons are of these. Links that are open live on if the swarm key is the same, and end
  /// otherwise. Throws net::Error.
  void use(const secure::SwarmKeys& keys, bool same_key);

  [[nodiscard]] const Address& listening() const { return listening_; }
  [[nodiscard]] std::size_t links() const { return met_; }  ///< to peers that have said hello
  [[nodiscard]] std::size_t peers_known() const { return discovery_->peers().size(); }

 private:
  /// Hears of wires at whose other end a member has proven itself.
  class Wired final : public net::Listener {
   public:
    explicit Wired(Node& node) : node_(node) {}
    LinkUser& opened(Link& link, const Address&, bool) noexcept override { return node_.wired(link); }
    void dial_failed(const Address&, std::string_view) noexcept override {}

   private:
    Node& node_;
  };
  struct Path {
    Link* link;
    discovery::LinkId id;
    bool wired = false;    // nobody is to be discovered at the other end: the peer is who is there
    bool met = false;      // the agent may choose the peer
    Time heard{};          // of it, last
    Time asked{};          // when a frame was sent, of those since it was heard the first
    bool waiting = false;  // there is such a frame
  };

  LinkUser& opened(Link& link, const Address& remote, bool dialled) noexcept override;
  void dial_failed(const Address& remote, std::string_view reason) noexcept override;
  void received(Link& link, std::span<const std::byte> frame) noexcept override;
  void writable(Link& link) noexcept override;
  void closed(Link& link) noexcept override;

  void listen(const NodeOptions& options);
  void wire(const NodeOptions& options);
  LinkUser& wired(Link& link) noexcept;
  void turn();
  void discover();
  void carry(const discovery::Action& action);
  void dial(const discovery::Endpoint& endpoint);
  void exchange();
  void doubt_the_silent();
  void admit(std::uint32_t number, Path& path);
  void forget(Path& path);
  [[nodiscard]] Path* path(std::uint32_t number);

  net::Loop& loop_;
  SharedAgent& shared_;
  Tell tell_;
  const discovery::Transport transport_;
  const bool stays_here_;
  Time doubt_at_{};
  std::uint32_t next_ = 1;
  std::size_t met_ = 0;
  std::unordered_map<std::uint32_t, Path> paths_;  // by number, which is PeerId and LinkId alike
  std::unordered_map<const Link*, std::uint32_t> numbers_;
  std::optional<BeaconKeys> beacon_keys_;
  discovery::Memory<> memory_;
  std::optional<discovery::Discovery> discovery_;
  Address listening_{};
  std::optional<Membership> membership_;
  Wired wired_{*this};
  std::optional<Membership> wire_membership_;  // none: wires are in plain text
  std::optional<net::TcpTransport> tcp_;
  std::optional<net::UdpTransport> udp_;
  std::optional<net::Multicast> multicast_;
  std::vector<std::unique_ptr<Wire>> wires_;
  std::vector<std::uint64_t> frame_;
  net::Timer timer_;
};

}  // namespace popsgd::command
