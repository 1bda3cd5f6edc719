// Links over TCP: reliable, and as long as a peer likes to stay.
#pragma once

#include <popsgd/address.h>
#include <popsgd/asio/listener.h>
#include <popsgd/asio/loop.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace popsgd::net {

struct TcpOptions {
  std::uint16_t mtu = 65535;  ///< bytes of the longest frame, >= 256; a peer that announces more is closed
  std::size_t links = 64;     ///< most links and dials at a time
  int pending = 16;           ///< most peers that the system lets wait for their link
  std::size_t queue = 1024 * 1024;  ///< bytes kept for a peer that does not keep up: more is Status::no_room
  std::uint32_t dial_timeout = 5000;  ///< ms
  /// ms in which a peer ends a frame it has begun, or takes something of what is queued for it. A peer that has brought no
  /// whole frame for as long loses its place to the next one that calls, if all are taken.
  std::uint32_t stall_timeout = 30000;
};

/// What was counted; only ever grows.
struct TcpMetrics {
  std::uint64_t accepted = 0;
  std::uint64_t dialled = 0;      ///< dials that became links
  std::uint64_t turned_away = 0;  ///< peers that found all places taken
  std::uint64_t replaced = 0;     ///< silent peers that made room for another
  std::uint64_t garbled = 0;      ///< links closed as a length was 0 or above the MTU
  std::uint64_t stalled = 0;      ///< links closed after stall_timeout
};

/// Listens, dials, and carries frames: 4 bytes of length, little-endian, then the frame. Each link costs at most
/// options.queue, and four times the MTU for what comes in. Destroying it ends all links, of which nobody is told.
/// Lives on its loop's thread, and must not outlive the loop.
class TcpTransport {
 public:
  /// `listener` must outlive it.
  TcpTransport(Loop& loop, const TcpOptions& options, Listener& listener);
  ~TcpTransport();
  TcpTransport(const TcpTransport&) = delete;
  TcpTransport& operator=(const TcpTransport&) = delete;
  TcpTransport(TcpTransport&&) = delete;
  TcpTransport& operator=(TcpTransport&&) = delete;

  /// Opens a place to call at, and returns it: with port 0 the system chooses one. Where `at` is the IPv6 address of zeros, any
  /// of this machine's addresses will do, of IPv4, too. May be called for several. Throws Error.
  Address listen(const Address& at);

  /// Calls a peer; Listener::opened() or dial_failed() follows, once. Any number at a time, up to the number of links.
  void dial(const Address& remote);

  [[nodiscard]] const TcpMetrics& metrics() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace popsgd::net
