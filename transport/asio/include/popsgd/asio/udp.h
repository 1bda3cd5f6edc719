// Links over UDP: a frame a datagram, which may be lost, doubled or overtaken.
#pragma once

#include <popsgd/address.h>
#include <popsgd/asio/listener.h>
#include <popsgd/asio/loop.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace popsgd::net {

struct UdpOptions {
  /// Bytes of the longest frame, >= 256; what passes everywhere by default.
  std::uint16_t mtu = 1200;
  static constexpr std::uint16_t automatic =
      0;  ///< as mtu: what the path to the peer carries whole, at most `most`
  static constexpr std::uint16_t most = 16384;  ///< so that the sockets' buffers hold several
  std::size_t strangers =
      64;  ///< most links that others opened; the one idle for longest makes room for a new one
  int buffer =
      4 * 1024 * 1024;  ///< bytes asked of the system for each socket and direction; it may give fewer
};

/// What was counted; only ever grows.
struct UdpMetrics {
  std::uint64_t strangers = 0;  ///< links that a datagram opened
  std::uint64_t replaced = 0;   ///< of those: closed to make room
  std::uint64_t invalid = 0;    ///< datagrams that were empty, or longer than the MTU
  std::uint64_t unsent = 0;     ///< frames that the system refused, e.g. as there is no route
};

/// One socket a family, or one for both, and all links. A peer is an Address: a link is opened by dial(), or by its first datagram. Nothing
/// tells whether a peer is there: links end by close(), or when a stranger makes room for another. What comes from a
/// peer whose link was closed opens a new one. With the automatic MTU, frames are never fragmented, LinkTraits::mtu follows the
/// path, and frames of up to UdpOptions::most bytes are taken from peers.
/// Destroying it ends all links, of which nobody is told. Lives on its loop's thread, and must not outlive the loop.
class UdpTransport {
 public:
  /// `listener` must outlive it.
  UdpTransport(Loop& loop, const UdpOptions& options, Listener& listener);
  ~UdpTransport();
  UdpTransport(const UdpTransport&) = delete;
  UdpTransport& operator=(const UdpTransport&) = delete;
  UdpTransport(UdpTransport&&) = delete;
  UdpTransport& operator=(UdpTransport&&) = delete;

  /// Binds the socket of the address's family, and returns where it is: with port 0 the system chooses one. Where `at` is
  /// the IPv6 address of zeros, the socket serves IPv4, too. Once a family, before the first dial(), which otherwise takes
  /// any port. Throws Error.
  Address listen(const Address& at);

  /// Opens a link: Listener::opened() follows, or dial_failed(), once; that no peer answers is no failure. A link that is
  /// open already is not announced again; opened by its peer, it counts as dialled from then on.
  void dial(const Address& remote);

  [[nodiscard]] const UdpMetrics& metrics() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace popsgd::net
