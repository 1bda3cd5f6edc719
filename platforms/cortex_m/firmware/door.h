// Between the network and the neighbours: who is let in. members.cpp is for firmware with secure links, no_members.cpp for others.
#pragma once

#include "ethernet/tcp.h"
#include "node.h"
#include "swarm_key.h"

#include <popsgd/clock.h>
#include <popsgd/status.h>

namespace firmware {

/// Hears of a transport's links in place of whoever is within, who is told of those that are let in alone.
class Door : public popsgd::cortex_m::TcpListener {
 public:
  /// Before the first link.
  virtual void lead_to(popsgd::cortex_m::TcpListener& within) noexcept = 0;
  /// Does what is due; when it is due again.
  virtual popsgd::Time turn() noexcept = 0;

 protected:
  ~Door() = default;
};

/// Members of the swarm are let in, by TLS, and nobody else. There is one such door, asked for once. no_function: the firmware was built without
/// secure links; no_room: they have no memory; no_entropy: the board has none.
[[nodiscard]] popsgd::Result<Door*> door_for_members(const SwarmKey& key, const Services& services) noexcept;

}  // namespace firmware
