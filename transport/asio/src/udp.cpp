#include "endpoint.h"
#include "udp_socket.h"

#include <popsgd/asio/address_text.h>
#include <popsgd/asio/error.h>
#include <popsgd/asio/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

namespace popsgd::net {
namespace {

using asio::awaitable;
using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::udp;

struct AddressHash {
  std::size_t operator()(const Address& address) const {
    const auto* ip = reinterpret_cast<const char*>(address.ip.data());
    return std::hash<std::string_view>{}({ip, address.ip.size()}) ^ (address.port + 65536UL * address.scope);
  }
};

std::uint16_t usable(std::size_t mtu) {
  return static_cast<std::uint16_t>(std::clamp<std::size_t>(mtu, 256, UdpOptions::most));
}

}  // namespace

// Shared with every wait that is under way, which then asks `over`: nobody is left to tell.
struct UdpTransport::State : std::enable_shared_from_this<State> {
  State(Loop& loop, const UdpOptions& with, Listener& whom)
      : context(loop.context()), options(with), listener(whom) {}

  struct Socket;
  class Peer;
  using Shared = std::shared_ptr<State>;
  static awaitable<void> receive(Shared self, std::shared_ptr<Socket> socket);
  static awaitable<void> await_room(Shared self, std::shared_ptr<Socket> socket);

  std::shared_ptr<Socket> bind(const Address& at);
  std::shared_ptr<Socket> socket_for(const Address& remote);
  void dial(const Address& remote);
  void open(const Address& remote, bool dialled, const std::shared_ptr<Socket>& socket);
  void arrived(const std::shared_ptr<Socket>& socket, const Address& from, std::span<const std::byte> bytes);
  void make_room_for_stranger();
  void full(const std::shared_ptr<Peer>& link, const std::shared_ptr<Socket>& socket);
  void closed(const std::shared_ptr<Peer>& link);
  void end();

  [[nodiscard]] bool automatic() const { return options.mtu == UdpOptions::automatic; }

  asio::io_context& context;
  const UdpOptions options;
  Listener& listener;
  UdpMetrics metrics;
  std::shared_ptr<Socket> v4;
  std::shared_ptr<Socket> v6;
  std::unordered_map<Address, std::shared_ptr<Peer>, AddressHash> links;
  std::uint64_t datagrams = 0;
  bool over = false;
};

/// A socket, and the links that wait for room in it.
struct UdpTransport::State::Socket {
  Socket(asio::io_context& context, bool is_v6, std::size_t longest)
      : socket(context), v6(is_v6), batch(longest) {}

  udp::socket socket;
  bool v6;
  bool both = false;  // reaches IPv4, too
  Batch batch;
  std::vector<std::shared_ptr<Peer>> full{};
};

class UdpTransport::State::Peer final : public Link, public std::enable_shared_from_this<Peer> {
 public:
  Peer(State& transport, std::shared_ptr<Socket> through, const Address& to, bool is_dialled,
       std::uint16_t mtu)
      : remote(to),
        dialled(is_dialled),
        transport_(transport),
        socket_(std::move(through)),
        to_(to, socket_->v6),
        mtu_(mtu) {}

  [[nodiscard]] LinkTraits traits() const noexcept override { return {mtu_, false}; }
  [[nodiscard]] Status send(std::span<const std::byte> frame) noexcept override;
  void close() noexcept override;
  void end() { open_ = false; }
  [[nodiscard]] bool open() const { return open_; }

  const Address remote;
  bool dialled;
  LinkUser* user = nullptr;
  std::uint64_t heard = 0;  // number of its last datagram

 private:
  Status too_long();

  State& transport_;
  std::shared_ptr<Socket> socket_;
  SocketAddress to_;
  std::uint16_t mtu_;
  bool open_ = true;
};

Status UdpTransport::State::Peer::send(std::span<const std::byte> frame) noexcept {
  if (!open_) return Status::link_closed;
  if (frame.empty() || frame.size() > mtu_) return Status::invalid_size;
  if (::sendto(socket_->socket.native_handle(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
               to_.get(), to_.size()) >= 0)
    return Status::ok;
  if (errno == EAGAIN || errno == ENOBUFS) {
    transport_.full(shared_from_this(), socket_);
    return Status::no_room;
  }
  if (errno == EMSGSIZE) return too_long();
  ++transport_.metrics.unsent;  // as if it had been lost: what is wrong may pass
  return Status::ok;
}

// The path has become narrower.
Status UdpTransport::State::Peer::too_long() {
  if (transport_.automatic()) {
    const std::size_t known = path_mtu(remote);
    mtu_ = usable(known > 0 && known < mtu_ ? known : mtu_ / 2U);
  }
  ++transport_.metrics.unsent;
  return Status::invalid_size;
}

void UdpTransport::State::Peer::close() noexcept {
  if (!open_) return;
  open_ = false;
  transport_.closed(shared_from_this());
}

UdpTransport::UdpTransport(Loop& loop, const UdpOptions& options, Listener& listener)
    : state_(std::make_shared<State>(loop, options, listener)) {}

UdpTransport::~UdpTransport() {
  state_->end();
}

Address UdpTransport::listen(const Address& at) {
  return to_address(state_->bind(at)->socket.local_endpoint());
}

void UdpTransport::dial(const Address& remote) {
  asio::post(state_->context, [state = state_, remote] { state->dial(remote); });
}

const UdpMetrics& UdpTransport::metrics() const {
  return state_->metrics;
}

// --- sockets

std::shared_ptr<UdpTransport::State::Socket> UdpTransport::State::bind(const Address& at) {
  const bool is_v6 = !at.is_v4();
  if (is_v6 ? v6 != nullptr : v4 != nullptr)
    throw Error("cannot listen at " + to_text(at) +
                " (UDP): this transport has its socket already; listen before the first dial, once a family");
  const std::size_t longest = automatic() ? UdpOptions::most : options.mtu;
  const auto made = std::make_shared<Socket>(context, is_v6, longest);
  udp::socket& socket = made->socket;
  const auto endpoint = to_endpoint<udp::endpoint>(at);
  made->both = is_v6 && is_any(at) && v4 == nullptr;
  std::error_code error;
  socket.open(endpoint.protocol(), error);
  if (error.value() == EAFNOSUPPORT && made->both) return bind(v4_address({}, at.port));
  if (!error && is_v6) socket.set_option(asio::ip::v6_only(!made->both), error);
  if (!error) socket.bind(endpoint, error);
  if (error) throw Error(cannot_listen(at, "UDP", error));
  socket.set_option(udp::socket::receive_buffer_size(options.buffer), error);
  socket.set_option(udp::socket::send_buffer_size(options.buffer), error);
  if (automatic()) forbid_fragments(socket.native_handle(), is_v6);
  (is_v6 ? v6 : v4) = made;
  asio::co_spawn(context, receive(shared_from_this(), made), asio::detached);
  return made;
}

std::shared_ptr<UdpTransport::State::Socket> UdpTransport::State::socket_for(const Address& remote) {
  if (!remote.is_v4()) return v6 ? v6 : bind({remote.scope == 0 ? decltype(remote.ip){} : remote.ip, 0, 0});
  if (v4) return v4;
  return v6 && v6->both ? v6 : bind(v4_address({}, 0));
}

awaitable<void> UdpTransport::State::receive(Shared self, std::shared_ptr<Socket> socket) {
  while (!self->over) {
    std::error_code error;
    co_await socket->socket.async_wait(udp::socket::wait_read, redirect_error(use_awaitable, error));
    if (self->over) break;
    const std::size_t count = socket->batch.receive(socket->socket.native_handle());
    for (std::size_t k = 0; k < count && !self->over; ++k)
      self->arrived(socket, socket->batch.from(k), socket->batch.datagram(k));
  }
}

void UdpTransport::State::arrived(const std::shared_ptr<Socket>& socket, const Address& from,
                                  std::span<const std::byte> bytes) {
  if (bytes.empty()) {
    ++metrics.invalid;
    return;
  }
  if (!links.contains(from)) {
    make_room_for_stranger();
    ++metrics.strangers;
    open(from, false, socket);
  }
  const auto found = links.find(from);
  if (over || found == links.end()) return;  // given up as soon as it was opened
  const std::shared_ptr<Peer> link = found->second;
  link->heard = ++datagrams;
  link->user->received(*link, bytes);
}

// --- links

void UdpTransport::State::dial(const Address& remote) {
  if (over) return;
  if (const auto found = links.find(remote); found != links.end()) {
    found->second->dialled = true;
    return;
  }
  try {
    const auto socket = socket_for(remote);
    if (remote.port == 0 || is_any(remote))
      listener.dial_failed(remote, "cannot reach " + to_text(remote) + ": it has no port, or no host");
    else if (path_mtu(remote) == 0)
      listener.dial_failed(remote, cannot_reach(remote, {ENETUNREACH, std::system_category()}));
    else
      open(remote, true, socket);
  } catch (const Error& error) {
    listener.dial_failed(remote, error.what());
  }
}

void UdpTransport::State::open(const Address& remote, bool dialled, const std::shared_ptr<Socket>& socket) {
  const std::uint16_t mtu = automatic() ? usable(path_mtu(remote)) : options.mtu;
  const auto link = std::make_shared<Peer>(*this, socket, remote, dialled, mtu);
  links.emplace(remote, link);
  link->heard = ++datagrams;
  link->user = &listener.opened(*link, remote, dialled);
}

void UdpTransport::State::make_room_for_stranger() {
  const auto stranger = [](const auto& entry) { return !entry.second->dialled; };
  if (static_cast<std::size_t>(std::ranges::count_if(links, stranger)) < options.strangers) return;
  const auto silence = [&](const auto& entry) {
    return stranger(entry) ? datagrams - entry.second->heard + 1 : 0;
  };
  ++metrics.replaced;
  std::ranges::max_element(links, {}, silence)->second->close();
}

void UdpTransport::State::closed(const std::shared_ptr<Peer>& link) {
  links.erase(link->remote);
  asio::post(context, [state = shared_from_this(), link] {
    if (!state->over) link->user->closed(*link);
  });
}

// --- back-pressure

void UdpTransport::State::full(const std::shared_ptr<Peer>& link, const std::shared_ptr<Socket>& socket) {
  if (std::ranges::find(socket->full, link) != socket->full.end()) return;
  socket->full.push_back(link);
  if (socket->full.size() == 1)
    asio::co_spawn(context, await_room(shared_from_this(), socket), asio::detached);
}

awaitable<void> UdpTransport::State::await_room(Shared self, std::shared_ptr<Socket> socket) {
  std::error_code error;
  co_await socket->socket.async_wait(udp::socket::wait_write, redirect_error(use_awaitable, error));
  for (const auto& link : std::exchange(socket->full, {})) {
    if (!self->over && link->open()) link->user->writable(*link);
  }
}

void UdpTransport::State::end() {
  over = true;
  std::error_code ignored;
  for (const auto& [remote, link] : links) link->end();
  links.clear();
  for (const auto& socket : {v4, v6}) {
    if (socket) socket->socket.close(ignored);
  }
}

}  // namespace popsgd::net
