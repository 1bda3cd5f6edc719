// One UDP socket of the system: what Asio does not offer of it.
#pragma once

#include <popsgd/address.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <asio/ip/udp.hpp>
#include <netinet/in.h>
#include <sys/socket.h>

namespace popsgd::net {

/// An address as a socket of one family takes it.
class SocketAddress {
 public:
  /// For a socket of IPv6, which reaches IPv4 by mapped addresses, or of IPv4.
  SocketAddress(const Address& address, bool v6);

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t size() const { return v6_ ? sizeof(sockaddr_in6) : sizeof(sockaddr_in); }

 private:
  sockaddr_storage storage_{};
  bool v6_;
};

[[nodiscard]] Address to_address(const sockaddr_storage& from);

/// Sends no fragments: what is longer than the path allows is EMSGSIZE.
void forbid_fragments(int socket, bool v6);
/// Bytes of a datagram's content that the system believes the path to `remote` carries whole, or, if it does not say, what
/// any path of IPv6 carries; 0: there is no path.
[[nodiscard]] std::size_t path_mtu(const Address& remote);

/// Room for several datagrams, which are asked for at once.
class Batch {
 public:
  /// Of datagrams of at most `longest` bytes.
  explicit Batch(std::size_t longest);

  /// Takes what has come, without waiting; the answer: how many, 0: none, or errno is set.
  [[nodiscard]] std::size_t receive(int socket);
  /// The one of this number, 8-aligned; empty: it was longer.
  [[nodiscard]] std::span<const std::byte> datagram(std::size_t number) const;
  [[nodiscard]] Address from(std::size_t number) const { return to_address(from_[number]); }

  static constexpr std::size_t kDatagrams = 16;

 private:
  std::size_t stride_;  // bytes
  std::unique_ptr<std::uint64_t[]> bytes_;
  std::array<sockaddr_storage, kDatagrams> from_{};
  std::array<iovec, kDatagrams> pieces_{};
  std::array<mmsghdr, kDatagrams> headers_{};
};

}  // namespace popsgd::net
