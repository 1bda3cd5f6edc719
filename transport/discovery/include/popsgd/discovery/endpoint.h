// What can be dialled: an address and a transport; and which addresses are worth it.
#pragma once

#include <popsgd/address.h>
#include <popsgd/discovery/refusal.h>

#include <cstdint>

namespace popsgd::discovery {

enum class Transport : std::uint8_t { tcp = 0, udp = 1 };

struct Endpoint {
  Address address{};
  Transport transport = Transport::tcp;

  friend constexpr bool operator==(const Endpoint&, const Endpoint&) = default;
};

[[nodiscard]] bool is_unspecified(const Address& address) noexcept;  ///< ::, 0.0.0.0/8
[[nodiscard]] bool is_multicast(const Address& address) noexcept;  ///< ff00::/8, 224.0.0.0/4, 255.255.255.255
[[nodiscard]] bool is_loopback(const Address& address) noexcept;   ///< ::1, 127.0.0.0/8
[[nodiscard]] bool is_link_local(const Address& address) noexcept;  ///< fe80::/10, whose scope counts

/// Whether an address is worth dialling, told by somebody at `from`: none, no_port, unspecified, multicast,
/// foreign_loopback. It need not be anybody's, and says nothing about who is there.
[[nodiscard]] Refusal worth_dialling(const Address& address, const Address& from) noexcept;

}  // namespace popsgd::discovery
