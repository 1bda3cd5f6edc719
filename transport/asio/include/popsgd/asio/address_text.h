// Addresses as people write them.
#pragma once

#include <popsgd/address.h>

#include <string>
#include <string_view>

namespace popsgd::net {

/// "192.0.2.1:7777", "[2001:db8::1]:7777", "[fe80::1%eth0]:7777", "name:7777", or ":7777" for any of this machine's
/// addresses. Names are looked up, which may take seconds; the first answer counts. Throws Error.
[[nodiscard]] Address parse_address(std::string_view text);

/// "192.0.2.1:7777" or "[2001:db8::1]:7777".
[[nodiscard]] std::string to_text(const Address& address);

}  // namespace popsgd::net
