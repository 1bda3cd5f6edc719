#include "interfaces.h"

#include <popsgd/asio/error.h>
#include <popsgd/asio/multicast.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace popsgd::net {
namespace {

using asio::ip::udp;

constexpr std::size_t kLongest = 512;

using Source = std::optional<std::array<std::uint8_t, 4>>;  // the address to send from, by IPv4

Address address_of(const udp::endpoint& endpoint) {
  const asio::ip::address ip = endpoint.address();
  if (ip.is_v4()) return v4_address(ip.to_v4().to_bytes(), endpoint.port());
  return {ip.to_v6().to_bytes(), endpoint.port(), static_cast<std::uint32_t>(ip.to_v6().scope_id())};
}

template <typename Value>
void set(udp::socket& socket, int level, int name, const Value& value, std::error_code& error) {
  if (error || setsockopt(socket.native_handle(), level, name, &value, sizeof value) == 0) return;
  error = std::error_code(errno, std::system_category());
}

// As in ip(7), and in RFC 3493, 5.2. Asio has no option that names an interface by its index.
void join_v4(udp::socket& socket, const udp::endpoint& group, std::uint32_t interface, const Source& source,
             std::error_code& error) {
  ip_mreqn request{};
  request.imr_multiaddr.s_addr = htonl(group.address().to_v4().to_uint());
  request.imr_ifindex = static_cast<int>(interface);
  set(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, request, error);
  // Left to itself, Linux sends from another interface's address over one whose own is of host scope: the loopback's.
  if (source) std::memcpy(&request.imr_address, source->data(), source->size());
  set(socket, IPPROTO_IP, IP_MULTICAST_IF, request, error);
  set(socket, IPPROTO_IP, IP_MULTICAST_TTL, 1, error);
  set(socket, IPPROTO_IP, IP_MULTICAST_LOOP, 1, error);
#ifdef IP_MULTICAST_ALL
  set(socket, IPPROTO_IP, IP_MULTICAST_ALL, 0, error);  // not what other programs have joined elsewhere
#endif
}

void join_v6(udp::socket& socket, const udp::endpoint& group, std::uint32_t interface,
             std::error_code& error) {
  ipv6_mreq request{};
  const auto bytes = group.address().to_v6().to_bytes();
  std::copy(bytes.begin(), bytes.end(), request.ipv6mr_multiaddr.s6_addr);
  request.ipv6mr_interface = interface;
  set(socket, IPPROTO_IPV6, IPV6_JOIN_GROUP, request, error);
  set(socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(interface), error);
  set(socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1, error);
  set(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1, error);
}

}  // namespace

std::string InterfaceUse::text() const {
  const std::string joined = v4 && v6 ? "IPv4, IPv6" : v4 ? "IPv4" : v6 ? "IPv6" : "";
  const std::string between = !joined.empty() && !problem.empty() ? "; " : "";
  return name + ": " + joined + between + problem;
}

// Shared with the handlers under way, which find out by `open` whether anybody is still there.
struct Multicast::State : std::enable_shared_from_this<State> {
  // One group on one interface. Each has a socket of its own, bound to the group, so that it hears nothing else.
  struct Membership {
    explicit Membership(asio::io_context& context) : socket(context) {}

    udp::socket socket;
    udp::endpoint group;
    udp::endpoint from;
    std::uint32_t interface = 0;
    Source source{};
    std::array<std::byte, kLongest> bytes{};
  };

  State(Loop& its_loop, MulticastOptions chosen, Received on_received, Changed on_changed)
      : loop(its_loop),
        options(std::move(chosen)),
        received(std::move(on_received)),
        changed(std::move(on_changed)),
        timer(std::in_place, its_loop, [this] { scan(); }) {}

  void check_names() const;
  [[nodiscard]] bool wanted(const Interface& interface) const;
  void scan();
  void refresh(const Interface& interface, InterfaceUse& use);
  bool refresh(const udp::endpoint& group, bool has_address, const Source& source, InterfaceUse& use);
  [[nodiscard]] std::shared_ptr<Membership> find(std::uint32_t interface, bool v4) const;
  void leave(std::uint32_t interface, bool v4);
  std::error_code join(const udp::endpoint& group, std::uint32_t interface, const Source& source);
  void listen(const std::shared_ptr<Membership>& membership);
  void deliver(Membership& membership, std::size_t length);
  [[nodiscard]] InterfaceUse* use_of(std::uint32_t interface);

  Loop& loop;
  MulticastOptions options;
  Received received;
  Changed changed;
  std::optional<Timer> timer;  // until its owner is gone
  bool open = true;
  std::vector<InterfaceUse> uses;
  std::vector<std::shared_ptr<Membership>> memberships;
};

// --- which interfaces

void Multicast::State::check_names() const {
  const std::vector<Interface> there = net::interfaces();
  for (const std::string& name : options.interfaces) {
    const bool exists = std::any_of(there.begin(), there.end(),
                                    [&name](const auto& interface) { return interface.name == name; });
    if (exists) continue;
    std::string names;
    for (const Interface& interface : there) names += (names.empty() ? "" : ", ") + interface.name;
    throw Error("no network interface is called \"" + name +
                "\"; there are: " + (names.empty() ? "none" : names));
  }
}

bool Multicast::State::wanted(const Interface& interface) const {
  if (options.interfaces.empty()) return options.loopback || !interface.loopback;
  return std::find(options.interfaces.begin(), options.interfaces.end(), interface.name) !=
         options.interfaces.end();
}

void Multicast::State::scan() {
  std::vector<InterfaceUse> before;
  before.swap(uses);
  std::vector<InterfaceUse> news;
  for (const Interface& interface : net::interfaces()) {
    if (!wanted(interface)) continue;
    const auto known = std::find_if(before.begin(), before.end(), [&interface](const InterfaceUse& use) {
      return use.index == interface.index && use.name == interface.name;
    });
    InterfaceUse use{.name = interface.name, .index = interface.index};
    if (known != before.end()) use = *known;
    refresh(interface, use);
    if (known == before.end() || known->text() != use.text()) news.push_back(use);
    if (known != before.end()) before.erase(known);
    uses.push_back(use);
  }
  for (InterfaceUse& gone : before) {
    leave(gone.index, true);
    leave(gone.index, false);
    gone.v4 = gone.v6 = false;
    gone.problem = "gone";
    news.push_back(gone);
  }
  timer->after(options.rescan);
  const auto self = shared_from_this();  // whoever is told may end all this
  for (const InterfaceUse& use : news) {
    if (open && changed) changed(use);
  }
}

void Multicast::State::refresh(const Interface& interface, InterfaceUse& use) {
  // Linux's loopback interface multicasts very well, though it does not say so.
  const bool able = interface.up && (interface.multicast || interface.loopback);
  use.problem = !interface.up ? "down" : !able ? "no multicast (flag missing)" : "";
  const asio::ip::address_v4 v4(options.group_v4);
  const asio::ip::address_v6 v6(options.group_v6, interface.index);
  if (!able) {
    leave(interface.index, true);
    leave(interface.index, false);
    use.v4 = use.v6 = false;
    return;
  }
  use.v4 = refresh(udp::endpoint(v4, options.port), interface.v4.has_value(), interface.v4, use);
  use.v6 = refresh(udp::endpoint(v6, options.port), interface.v6, {}, use);
}

// Joins or leaves the group; whether it is joined now.
bool Multicast::State::refresh(const udp::endpoint& group, bool has_address, const Source& source,
                               InterfaceUse& use) {
  const bool v4 = group.address().is_v4();
  const auto joined = find(use.index, v4);
  if (joined != nullptr && has_address && joined->source == source) return true;
  leave(use.index, v4);
  std::string problem = "no address";
  if (has_address) {
    const std::error_code error = join(group, use.index, source);
    if (!error) return true;
    problem = "joining failed: " + error.message();
  }
  use.problem += (use.problem.empty() ? "" : "; ") + std::string(v4 ? "IPv4: " : "IPv6: ") + problem;
  return false;
}

// --- groups

std::shared_ptr<Multicast::State::Membership> Multicast::State::find(std::uint32_t interface, bool v4) const {
  for (const auto& membership : memberships) {
    if (membership->interface == interface && membership->group.address().is_v4() == v4) return membership;
  }
  return nullptr;
}

void Multicast::State::leave(std::uint32_t interface, bool v4) {
  const auto membership = find(interface, v4);
  if (membership == nullptr) return;
  std::error_code ignored;
  membership->socket.close(ignored);
  std::erase(memberships, membership);
}

std::error_code Multicast::State::join(const udp::endpoint& group, std::uint32_t interface,
                                       const Source& source) {
  auto membership = std::make_shared<Membership>(loop.context());
  membership->group = group;
  membership->interface = interface;
  membership->source = source;
  udp::socket& socket = membership->socket;
  std::error_code error;
  socket.open(group.protocol(), error);
  // All agents of a machine share the port, and each gets a copy.
  set(socket, SOL_SOCKET, SO_REUSEADDR, 1, error);
#if !defined(__linux__) && defined(SO_REUSEPORT)
  set(socket, SOL_SOCKET, SO_REUSEPORT, 1,
      error);  // what BSD asks for; Linux would keep other users' agents out
#endif
  if (!error) socket.non_blocking(true, error);
  if (!error) socket.bind(group, error);
  if (group.address().is_v4())
    join_v4(socket, group, interface, source, error);
  else
    join_v6(socket, group, interface, error);
  if (error) return error;
  memberships.push_back(membership);
  listen(membership);
  return {};
}

// --- datagrams

void Multicast::State::listen(const std::shared_ptr<Membership>& membership) {
  membership->socket.async_receive_from(
      asio::buffer(membership->bytes), membership->from,
      [self = shared_from_this(), membership](const std::error_code& error, std::size_t length) {
        if (!self->open || !membership->socket.is_open() || error == asio::error::operation_aborted) return;
        if (!error) self->deliver(*membership, length);
        if (self->open && membership->socket.is_open()) self->listen(membership);
      });
}

void Multicast::State::deliver(Membership& membership, std::size_t length) {
  if (InterfaceUse* use = use_of(membership.interface); use != nullptr) ++use->received;
  received(std::span<const std::byte>(membership.bytes).first(length), address_of(membership.from));
}

InterfaceUse* Multicast::State::use_of(std::uint32_t interface) {
  const auto use = std::find_if(uses.begin(), uses.end(),
                                [interface](const InterfaceUse& known) { return known.index == interface; });
  return use == uses.end() ? nullptr : &*use;
}

// --- the public side

Multicast::Multicast(Loop& loop, MulticastOptions options, Received received, Changed changed)
    : state_(std::make_shared<State>(loop, std::move(options), std::move(received), std::move(changed))) {
  state_->check_names();
  state_->scan();
}

Multicast::~Multicast() {
  state_->open = false;
  state_->timer.reset();
  std::error_code ignored;
  for (const auto& membership : state_->memberships) membership->socket.close(ignored);
  state_->memberships.clear();
}

std::size_t Multicast::send(std::span<const std::byte> bytes) {
  std::size_t sent = 0;
  for (const auto& membership : state_->memberships) {
    std::error_code error;
    membership->socket.send_to(asio::buffer(bytes.data(), bytes.size()), membership->group, 0, error);
    if (!error) ++sent;
    if (InterfaceUse* use = state_->use_of(membership->interface); use != nullptr)
      ++(error ? use->unsent : use->sent);
  }
  return sent;
}

std::vector<InterfaceUse> Multicast::interfaces() const {
  return state_->uses;
}

}  // namespace popsgd::net
