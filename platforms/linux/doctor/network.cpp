#include "doctor/network.h"

#include "agent/setup.h"
#include "device/entropy.h"

#include <popsgd/asio/address_text.h>
#include <popsgd/asio/http_server.h>
#include <popsgd/asio/multicast.h>

#include <algorithm>
#include <array>
#include <optional>

namespace popsgd::command {
namespace {

using Grade = Diagnosis::Grade;

constexpr std::uint32_t kWait = 1'000;  // ms

/// Whoever calls meanwhile is hung up on.
struct Nobody final : net::Listener, LinkUser {
  LinkUser& opened(Link& link, const Address&, bool) noexcept override {
    link.close();
    return *this;
  }
  void dial_failed(const Address&, std::string_view) noexcept override {}
  void received(Link&, std::span<const std::byte>) noexcept override {}
  void writable(Link&) noexcept override {}
  void closed(Link&) noexcept override {}
};

/// No agent takes it for a beacon, and no two are the same.
std::array<std::byte, 20> probe() {
  std::array<std::byte, 20> bytes{std::byte{'P'}, std::byte{'S'}, std::byte{'G'}, std::byte{'?'}};
  device::KernelEntropy entropy;
  static_cast<void>(entropy.fill(std::span(bytes).subspan(4)));
  return bytes;
}

}  // namespace

Diagnosis ports(const AgentOptions& options) {
  const NodeOptions node = node_from(options);
  Nobody nobody;
  net::Loop loop;
  net::Listener& listener = nobody;
  std::optional<net::TcpTransport> tcp;
  std::optional<net::UdpTransport> udp;
  Address at;
  if (node.transport == discovery::Transport::tcp)
    at = tcp.emplace(loop, net::TcpOptions{}, listener).listen(node.listen);
  else
    at = udp.emplace(loop, net::UdpOptions{.mtu = node.datagram}, listener).listen(node.listen);
  std::string text = options.transport + " " + net::to_text(at) + " can be listened at";
  if (node.listen.port == 0) text += " (any free port)";
  if (options.metrics.empty()) return {Grade::fine, {}, text};
  const net::HttpServer pages(loop, net::parse_address(options.metrics),
                              [](const net::HttpRequest&) { return net::HttpResponse{}; });
  return {Grade::fine, {}, text + ", and " + options.metrics + " for pages"};
}

Diagnosis beacons(const AgentOptions& options, std::vector<Diagnosis>& interfaces) {
  const NodeOptions node = node_from(options);
  if (!node.beacons)
    return {Grade::note, {}, "not used, by --no-discovery: it meets --peer only, and whom they know"};
  const auto sent = probe();
  bool heard = false;
  net::Loop loop;
  net::Multicast multicast(loop, {.loopback = node.loopback, .interfaces = node.interfaces},
                           [&](std::span<const std::byte> bytes, const Address&) {
                             heard = heard || std::ranges::equal(bytes, sent);
                             if (heard) loop.stop();
                           });
  bool joined = false;
  for (const net::InterfaceUse& use : multicast.interfaces()) {
    interfaces.push_back({use.v4 || use.v6 ? Grade::fine : Grade::note, "interface", use.text()});
    joined = joined || use.v4 || use.v6;
  }
  const std::string port = std::to_string(net::MulticastOptions{}.port);
  if (!joined && node.peers.empty())
    return {Grade::stops,
            {},
            "no interface can be used: connect one, name another by --interface, or peers by --peer"};
  if (!joined) return {Grade::note, {}, "no interface can be used: it meets --peer only, and whom they know"};
  multicast.send(sent);
  net::Timer patience(loop, [&loop] { loop.stop(); });
  patience.after(kWait);
  loop.run();
  if (heard) return {Grade::fine, {}, "a message to the group comes back, UDP port " + port};
  const std::string silence =
      "a message to the group does not come back: a firewall that drops UDP port " + port + "?";
  return {node.peers.empty() ? Grade::stops : Grade::note, {}, silence};
}

}  // namespace popsgd::command
