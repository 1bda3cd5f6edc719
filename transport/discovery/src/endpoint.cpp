#include <popsgd/discovery/endpoint.h>

#include <algorithm>
#include <array>

namespace popsgd::discovery {

bool is_unspecified(const Address& address) noexcept {
  if (address.is_v4()) return address.ip[12] == 0;
  return std::all_of(address.ip.begin(), address.ip.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool is_multicast(const Address& address) noexcept {
  if (!address.is_v4()) return address.ip[0] == 0xFF;
  const bool broadcast =
      std::all_of(address.ip.begin() + 12, address.ip.end(), [](std::uint8_t byte) { return byte == 0xFF; });
  return (address.ip[12] & 0xF0U) == 0xE0U || broadcast;
}

bool is_loopback(const Address& address) noexcept {
  if (address.is_v4()) return address.ip[12] == 127;
  constexpr std::array<std::uint8_t, 16> one{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return address.ip == one;
}

bool is_link_local(const Address& address) noexcept {
  return address.ip[0] == 0xFE && (address.ip[1] & 0xC0U) == 0x80U;
}

Refusal worth_dialling(const Address& address, const Address& from) noexcept {
  if (address.port == 0) return Refusal::no_port;
  if (is_unspecified(address)) return Refusal::unspecified;
  if (is_multicast(address)) return Refusal::multicast;
  if (is_loopback(address) && !is_loopback(from)) return Refusal::foreign_loopback;
  if (is_link_local(address) && address.scope == 0) return Refusal::foreign_scope;
  return Refusal::none;
}

}  // namespace popsgd::discovery
