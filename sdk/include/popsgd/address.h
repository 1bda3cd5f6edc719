// Where a peer on an IP network is reached: what discovery finds, and a transport dials.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace popsgd {

/// An IP address and a port.
struct Address {
  /// In the order of the network. IPv4 is mapped: ten bytes 0, two 0xFF, the address (RFC 4291, 2.5.5.2).
  std::array<std::uint8_t, 16> ip{};
  std::uint16_t port = 0;
  std::uint32_t scope = 0;  ///< of a link-local IPv6 address: this machine's index of the interface; else 0

  [[nodiscard]] constexpr bool is_v4() const {
    return std::all_of(ip.begin(), ip.begin() + 10, [](std::uint8_t byte) { return byte == 0; }) &&
           ip[10] == 0xFF && ip[11] == 0xFF;
  }
  friend constexpr bool operator==(const Address&, const Address&) = default;
};

[[nodiscard]] constexpr Address v4_address(std::array<std::uint8_t, 4> ip, std::uint16_t port) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, ip[0], ip[1], ip[2], ip[3]}, port, 0};
}

}  // namespace popsgd
