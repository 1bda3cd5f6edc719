#include "udp_socket.h"

#include <cstring>

#include <unistd.h>

namespace popsgd::net {
namespace {

constexpr std::size_t kLeastMtu =
    1280;  // what every link that carries IPv6 has to take (RFC 8200, section 5)

}  // namespace

SocketAddress::SocketAddress(const Address& address, bool v6) : v6_(v6) {
  if (v6) {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(address.port);
    std::memcpy(&to.sin6_addr, address.ip.data(), 16);
    to.sin6_scope_id = address.scope;
    std::memcpy(&storage_, &to, sizeof(to));
  } else {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    std::memcpy(&to.sin_addr, address.ip.data() + 12, 4);
    std::memcpy(&storage_, &to, sizeof(to));
  }
}

Address to_address(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &from, sizeof(v4));
    std::array<std::uint8_t, 4> ip{};
    std::memcpy(ip.data(), &v4.sin_addr, 4);
    return v4_address(ip, ntohs(v4.sin_port));
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &from, sizeof(v6));
  Address address;
  std::memcpy(address.ip.data(), &v6.sin6_addr, 16);
  address.port = ntohs(v6.sin6_port);
  address.scope = v6.sin6_scope_id;
  return address;
}

void forbid_fragments(int socket, bool v6) {
  const int v4_do = IP_PMTUDISC_DO;
  const int v6_do = IPV6_PMTUDISC_DO;
  static_cast<void>(::setsockopt(socket, IPPROTO_IP, IP_MTU_DISCOVER, &v4_do, sizeof(v4_do)));
  if (v6) static_cast<void>(::setsockopt(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6_do, sizeof(v6_do)));
}

// Only a connected socket can be asked. Emulated systems may have no answer (qemu-user has none for IPv4).
std::size_t path_mtu(const Address& remote) {
  const bool v6 = !remote.is_v4();
  const std::size_t headers = v6 ? 48 : 28;  // of IP, without options, and of UDP
  const int probe = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return 0;
  forbid_fragments(probe, v6);
  const SocketAddress to(remote, v6);
  int mtu = 0;
  socklen_t size = sizeof(mtu);
  const bool reached = ::connect(probe, to.get(), to.size()) == 0;
  const bool told = reached && ::getsockopt(probe, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU,
                                            &mtu, &size) == 0;
  ::close(probe);
  if (!reached) return 0;
  const std::size_t packet = told ? static_cast<std::size_t>(mtu) : kLeastMtu;
  return packet > headers ? packet - headers : 0;
}

Batch::Batch(std::size_t longest)
    : stride_((longest + 7) / 8 * 8),
      bytes_(std::make_unique_for_overwrite<std::uint64_t[]>(kDatagrams * stride_ / 8)) {
  for (std::size_t k = 0; k < kDatagrams; ++k) {
    pieces_[k] = {reinterpret_cast<std::byte*>(bytes_.get()) + k * stride_, longest};
    headers_[k].msg_hdr.msg_name = &from_[k];
    headers_[k].msg_hdr.msg_iov = &pieces_[k];
    headers_[k].msg_hdr.msg_iovlen = 1;
  }
}

std::size_t Batch::receive(int socket) {
  for (mmsghdr& header : headers_) header.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
  const int count = ::recvmmsg(socket, headers_.data(), kDatagrams, MSG_DONTWAIT, nullptr);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

std::span<const std::byte> Batch::datagram(std::size_t number) const {
  const mmsghdr& header = headers_[number];
  if ((header.msg_hdr.msg_flags & MSG_TRUNC) != 0) return {};
  return {static_cast<const std::byte*>(pieces_[number].iov_base), header.msg_len};
}

}  // namespace popsgd::net
