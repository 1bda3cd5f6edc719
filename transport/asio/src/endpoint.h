// Addresses as Asio has them, and what went wrong with them.
#pragma once

#include <popsgd/address.h>

#include <string>
#include <system_error>

#include <asio/ip/address.hpp>

namespace popsgd::net {

/// Any of this machine's addresses, of either family.
[[nodiscard]] inline bool is_any(const Address& address) {
  return address.ip == decltype(address.ip){};
}

/// An IPv4 address as IPv4.
[[nodiscard]] inline asio::ip::address to_ip(const Address& address) {
  const asio::ip::address_v6 v6(address.ip, address.scope);
  if (address.is_v4()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6);
  return v6;
}

template <typename Endpoint>
[[nodiscard]] Endpoint to_endpoint(const Address& address) {
  return {to_ip(address), address.port};
}

/// From an endpoint of either family.
template <typename Endpoint>
[[nodiscard]] Address to_address(const Endpoint& endpoint) {
  const asio::ip::address ip = endpoint.address();
  if (ip.is_v4()) return v4_address(ip.to_v4().to_bytes(), endpoint.port());
  const asio::ip::address_v6 v6 = ip.to_v6();
  return {v6.to_bytes(), endpoint.port(), static_cast<std::uint32_t>(v6.scope_id())};
}

/// Sentences: why nothing can listen there, or be sent there, and what would be right.
[[nodiscard]] std::string cannot_listen(const Address& at, const char* protocol,
                                        const std::error_code& error);
[[nodiscard]] std::string cannot_reach(const Address& remote, const std::error_code& error);

}  // namespace popsgd::net
