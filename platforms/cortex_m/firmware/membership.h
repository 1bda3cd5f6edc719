// What makes a device a member of its swarm.
#pragma once

#include "swarm_key.h"

#include <popsgd/secure/context.h>
#include <popsgd/status.h>

namespace firmware {

/// The context's links are of the swarm's key from now on, as all members have it: of the key's epoch and of the one before. As
/// Context::use().
[[nodiscard]] popsgd::Status use(const SwarmKey& key, popsgd::secure::Context& context) noexcept;

}  // namespace firmware
