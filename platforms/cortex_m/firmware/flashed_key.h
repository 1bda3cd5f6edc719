// The key of a swarm that a device was given with its firmware.
#pragma once

#include "swarm_key.h"

#include <optional>

namespace firmware {

/// What the program's section .swarm_key says, 96 bytes: the line of a key file, and zeros, spaces or erased flash behind it. A new
/// program has none there; README.md says how it gets one. Nothing: it is no key.
[[nodiscard]] std::optional<SwarmKey> flashed_key() noexcept;

}  // namespace firmware
