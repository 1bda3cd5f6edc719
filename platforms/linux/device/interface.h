// What Linux says of a network interface.
#pragma once

#include <string>

namespace popsgd::device {

/// Whether there is an interface of that name, and what is sent there stays on this machine.
[[nodiscard]] bool is_loopback_interface(const std::string& name);

}  // namespace popsgd::device
