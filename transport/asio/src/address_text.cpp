#include "endpoint.h"

#include <popsgd/asio/address_text.h>
#include <popsgd/asio/error.h>

#include <charconv>

#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <net/if.h>

namespace popsgd::net {
namespace {

[[noreturn]] void fail(std::string_view text, const std::string& why) {
  throw Error("'" + std::string(text) + "' is no address: " + why +
              "; write 192.0.2.1:7777, [2001:db8::1]:7777, name:7777, or :7777 for all of this machine's");
}

std::uint16_t port_of(std::string_view text, std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size())
    fail(text, "its port '" + std::string(digits) + "' is not a number from 0 to 65535");
  return port;
}

// "fe80::1%eth0", or with the interface's number.
Address v6_of(std::string_view text, std::string_view host, std::uint16_t port) {
  const std::size_t percent = host.find('%');
  std::error_code error;
  const auto ip = asio::ip::make_address_v6(std::string(host.substr(0, percent)), error);
  if (error) fail(text, "there is no IPv6 address between the brackets");
  Address address{ip.to_bytes(), port, 0};
  if (percent == std::string_view::npos) return address;
  const std::string interface(host.substr(percent + 1));
  address.scope = if_nametoindex(interface.c_str());
  if (address.scope == 0) {
    const auto [end, bad] =
        std::from_chars(interface.data(), interface.data() + interface.size(), address.scope);
    if (bad != std::errc{} || end != interface.data() + interface.size() || address.scope == 0)
      fail(text, "this machine has no interface '" + interface + "'");
  }
  return address;
}

Address look_up(std::string_view text, const std::string& host, std::uint16_t port) {
  asio::io_context context;
  asio::ip::udp::resolver resolver(context);
  std::error_code error;
  const auto found = resolver.resolve(host, "", error);
  if (error || found.empty()) fail(text, "nobody knows the host '" + host + "' (" + error.message() + ")");
  Address address = to_address(found.begin()->endpoint());
  address.port = port;
  return address;
}

}  // namespace

Address parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']')) fail(text, "it has no port");
  const std::string host(text.substr(0, colon));
  const std::uint16_t port = port_of(text, text.substr(colon + 1));
  if (host.empty()) return {{}, port, 0};
  if (host.front() == '[') {
    if (host.back() != ']') fail(text, "its bracket is not closed");
    return v6_of(text, std::string_view(host).substr(1, host.size() - 2), port);
  }
  if (host.find(':') != std::string::npos) fail(text, "an IPv6 address stands in brackets");
  std::error_code error;
  const auto v4 = asio::ip::make_address_v4(host, error);
  return error ? look_up(text, host, port) : v4_address(v4.to_bytes(), port);
}

std::string to_text(const Address& address) {
  const std::string port = ":" + std::to_string(address.port);
  return address.is_v4() ? to_ip(address).to_string() + port : "[" + to_ip(address).to_string() + "]" + port;
}

}  // namespace popsgd::net
