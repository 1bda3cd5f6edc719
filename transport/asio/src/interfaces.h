// The network interfaces of this machine.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace popsgd::net {

struct Interface {
  std::string name;
  std::uint32_t index = 0;
  bool up = false;
  bool multicast = false;
  bool loopback = false;
  std::optional<std::array<std::uint8_t, 4>> v4{};  ///< its first IPv4 address, if it has one
  bool v6 = false;                                  ///< has an IPv6 address
};

/// All there are, by index; empty if the system does not say.
[[nodiscard]] std::vector<Interface> interfaces();

}  // namespace popsgd::net
