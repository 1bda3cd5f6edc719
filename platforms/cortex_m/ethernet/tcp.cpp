#include "ethernet/tcp.h"

#include <algorithm>

#include <lwip/ip_addr.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>

namespace popsgd::cortex_m {
namespace {

ip_addr_t ip_of(const Address& address) {
  ip_addr_t ip;
  IP_ADDR4(&ip, address.ip[12], address.ip[13], address.ip[14], address.ip[15]);
  return ip;
}

Address address_of(const ip_addr_t& ip, std::uint16_t port) {
  return v4_address({ip4_addr1(&ip), ip4_addr2(&ip), ip4_addr3(&ip), ip4_addr4(&ip)}, port);
}

}  // namespace

// --- what lwIP calls

struct TcpTransport::Calls {
  static err_t connected(void* context, tcp_pcb*, err_t) {
    open(*static_cast<TcpLink*>(context), true);
    return ERR_OK;
  }

  static void open(TcpLink& link, bool dialled) {
    link.state_ = TcpLink::State::open;
    link.user_ = &link.transport_->listener_.opened(link, link.remote_, dialled);
  }

  static err_t received(void* context, tcp_pcb* connection, pbuf* packet, err_t) {
    auto& link = *static_cast<TcpLink*>(context);
    if (packet == nullptr) {  // the peer has closed it
      link.close();
      return ERR_OK;
    }
    tcp_recved(connection, packet->tot_len);
    link.take(*packet);
    pbuf_free(packet);
    return ERR_OK;
  }

  static err_t sent(void* context, tcp_pcb*, u16_t) {
    auto& link = *static_cast<TcpLink*>(context);
    if (!link.full_ || link.user_ == nullptr) return ERR_OK;
    link.full_ = false;
    link.user_->writable(link);
    return ERR_OK;
  }

  // The connection is gone already.
  static void failed(void* context, err_t) { static_cast<TcpLink*>(context)->lost(); }

  static err_t accepted(void* context, tcp_pcb* connection, err_t error) {
    auto& transport = *static_cast<TcpTransport*>(context);
    TcpLink* const link = transport.free();
    if (error != ERR_OK || connection == nullptr || link == nullptr) return ERR_MEM;
    link->attach(transport, connection, address_of(connection->remote_ip, connection->remote_port));
    open(*link, false);
    return ERR_OK;
  }
};

// --- a link

void TcpLink::attach(TcpTransport& transport, tcp_pcb* connection, const Address& remote) noexcept {
  using Calls = TcpTransport::Calls;
  transport_ = &transport;
  connection_ = connection;
  remote_ = remote;
  state_ = State::dialling;
  user_ = nullptr;
  full_ = false;
  have_ = 0;
  tcp_arg(connection, this);
  tcp_recv(connection, Calls::received);
  tcp_sent(connection, Calls::sent);
  tcp_err(connection, Calls::failed);
  tcp_nagle_disable(connection);
  ip_set_option(connection, SOF_KEEPALIVE);
}

Status TcpLink::send(std::span<const std::byte> frame) noexcept {
  if (state_ != State::open || connection_ == nullptr) return Status::link_closed;
  if (frame.empty() || frame.size() > kMtu) return Status::invalid_size;
  constexpr std::size_t kSegments = 4;
  if (tcp_sndbuf(connection_) < kPrefix + frame.size() ||
      tcp_sndqueuelen(connection_) + kSegments > TCP_SND_QUEUELEN) {
    full_ = true;
    return Status::no_room;
  }
  std::array<std::byte, kPrefix> prefix{};
  for (std::size_t k = 0; k < kPrefix; ++k) prefix[k] = static_cast<std::byte>(frame.size() >> 8 * k);
  const bool taken =
      tcp_write(connection_, prefix.data(), kPrefix, TCP_WRITE_FLAG_COPY | TCP_WRITE_FLAG_MORE) == ERR_OK &&
      tcp_write(connection_, frame.data(), static_cast<u16_t>(frame.size()), TCP_WRITE_FLAG_COPY) == ERR_OK;
  if (!taken) {  // half a frame may be on its way
    close();
    return Status::link_closed;
  }
  tcp_output(connection_);
  return Status::ok;
}

// turn() tells of it, and gives the connection up.
void TcpLink::close() noexcept {
  if (state_ == State::open) state_ = State::over;
}

void TcpLink::lost() noexcept {
  connection_ = nullptr;
  state_ = State::over;
}

void TcpLink::detach() noexcept {
  if (connection_ == nullptr) return;
  tcp_arg(connection_, nullptr);
  tcp_recv(connection_, nullptr);
  tcp_sent(connection_, nullptr);
  tcp_err(connection_, nullptr);
  if (tcp_close(connection_) != ERR_OK) tcp_abort(connection_);
  connection_ = nullptr;
}

void TcpLink::take(const pbuf& packet) noexcept {
  for (const pbuf* part = &packet; part != nullptr; part = part->next)
    take(std::as_bytes(std::span(static_cast<const char*>(part->payload), part->len)));
}

std::size_t TcpLink::length() const noexcept {
  std::size_t length = 0;
  for (std::size_t k = 0; k < kPrefix; ++k) length |= std::to_integer<std::size_t>(prefix_[k]) << 8 * k;
  return length;
}

void TcpLink::take(std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty() && state_ == State::open) {
    const auto room = have_ < kPrefix ? std::span(prefix_).subspan(have_)
                                      : std::span(frame_).first(length()).subspan(have_ - kPrefix);
    const std::size_t count = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), count, room.begin());
    bytes = bytes.subspan(count);
    have_ += count;
    if (have_ < kPrefix) continue;
    if (length() == 0 || length() > kMtu) return close();
    if (have_ < kPrefix + length()) continue;
    have_ = 0;
    user_->received(*this, std::span(frame_).first(length()));
  }
}

// --- all of them

TcpLink* TcpTransport::free() noexcept {
  const auto found = std::ranges::find(links_, TcpLink::State::free, &TcpLink::state_);
  return found == links_.end() ? nullptr : &*found;
}

bool TcpTransport::listen(std::uint16_t port) noexcept {
  tcp_pcb* const bound = tcp_new();
  if (bound == nullptr) return false;
  if (tcp_bind(bound, IP_ADDR_ANY, port) != ERR_OK) return false;
  tcp_pcb* const listening = tcp_listen(bound);
  if (listening == nullptr) return false;
  tcp_arg(listening, this);
  tcp_accept(listening, Calls::accepted);
  return true;
}

void TcpTransport::dial(const Address& remote) noexcept {
  TcpLink* const link = free();
  tcp_pcb* const connection = link != nullptr && remote.is_v4() ? tcp_new() : nullptr;
  if (connection == nullptr) return listener_.dial_failed(remote);
  link->attach(*this, connection, remote);
  const ip_addr_t ip = ip_of(remote);
  if (tcp_connect(connection, &ip, remote.port, Calls::connected) != ERR_OK)
    link->state_ = TcpLink::State::over;
}

void TcpTransport::turn() noexcept {
  for (TcpLink& link : links_) {
    if (link.state_ != TcpLink::State::over) continue;
    link.detach();
    link.state_ = TcpLink::State::free;
    if (link.user_ != nullptr)
      link.user_->closed(link);
    else
      listener_.dial_failed(link.remote_);
  }
}

}  // namespace popsgd::cortex_m
