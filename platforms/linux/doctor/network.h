// What an agent needs of the network.
#pragma once

#include "doctor/checks.h"

#include <vector>

namespace popsgd::command {

// Both throw net::Error or sim::Error for what stops an agent.

/// Listens where the agent would, and serves its pages, for a moment.
[[nodiscard]] Diagnosis ports(const AgentOptions& options);

/// Joins the multicast groups as the agent would, sends a message to nobody, and waits up to a second for it to come back. Adds a
/// finding for each interface.
[[nodiscard]] Diagnosis beacons(const AgentOptions& options, std::vector<Diagnosis>& interfaces);

}  // namespace popsgd::command
