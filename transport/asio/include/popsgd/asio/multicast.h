// Messages to everybody on the local networks, by IP multicast: how beacons travel.
#pragma once

#include <popsgd/address.h>
#include <popsgd/asio/loop.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace popsgd::net {

struct MulticastOptions {
  /// IPv4: of the organisation-local scope, administratively scoped (RFC 2365, 6.2).
  std::array<std::uint8_t, 4> group_v4{239, 192, 80, 83};
  /// IPv6: link-local scope, not assigned for good, with a dynamic group id (RFC 4291, 2.7; RFC 3307, 4.3):
  /// ff12::d053:4744.
  std::array<std::uint8_t, 16> group_v6{0xFF, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xD0, 0x53, 0x47, 0x44};
  std::uint16_t port = 20783;
  bool loopback = false;                  ///< also on the loopback interface: agents of one machine
  std::vector<std::string> interfaces{};  ///< only these, by name (then also loopback, if named); empty: all
  std::uint32_t rescan = 5000;            ///< ms between two looks at the interfaces
};

/// What has become of one interface.
struct InterfaceUse {
  std::string name;
  std::uint32_t index = 0;
  bool v4 = false;             ///< joined the IPv4 group
  bool v6 = false;             ///< joined the IPv6 group
  std::string problem{};       ///< why not, of each family that has not been joined; empty if both have
  std::uint64_t sent = 0;      ///< datagrams
  std::uint64_t unsent = 0;    ///< that the system did not take
  std::uint64_t received = 0;  ///< one's own among them

  /// A line for a person: "eth0: IPv4, IPv6", "eth1: no multicast (flag missing)", "eth2: IPv4; IPv6: joining failed: ...".
  [[nodiscard]] std::string text() const;
};

/// Joins a group for each IP version on every interface that is up and can multicast, and again when one appears later.
/// What is sent goes out on each of them with a hop limit of 1, so no router passes it on, and comes back to all who have
/// joined on this machine, the sender included.
///
/// Lives on its loop's thread, and must not outlive it.
class Multicast {
 public:
  /// A datagram, whole, of up to 512 bytes (longer ones are cut), valid during the call. `from` has the sender's port, which is
  /// of no use, and for a link-local IPv6 address the interface as its scope.
  using Received = std::function<void(std::span<const std::byte> bytes, const Address& from)>;
  /// An interface is used now that was not before, or otherwise than before, or is so no longer.
  using Changed = std::function<void(const InterfaceUse& use)>;

  /// Joins at once. Throws Error if options.interfaces names one that does not exist; it lists those that do. That none can be
  /// joined is no error: interfaces() says why, and one may appear later.
  Multicast(Loop& loop, MulticastOptions options, Received received, Changed changed = {});
  ~Multicast();
  Multicast(const Multicast&) = delete;
  Multicast& operator=(const Multicast&) = delete;
  Multicast(Multicast&&) = delete;
  Multicast& operator=(Multicast&&) = delete;

  /// On every interface joined, by both IP versions; how many datagrams went out.
  std::size_t send(std::span<const std::byte> bytes);

  /// All interfaces there are, or those that the options name, as of the last look.
  [[nodiscard]] std::vector<InterfaceUse> interfaces() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace popsgd::net
