// The device on its network: whom it meets there, and by which links. lan.cpp is for boards with Ethernet, no_lan.cpp for others.
#pragma once

#include "node.h"
#include "swarm_key.h"

#include <popsgd/address.h>
#include <popsgd/clock.h>
#include <popsgd/status.h>

#include <optional>
#include <span>
#include <string_view>

namespace firmware::lan {

struct Swarm {
  std::string_view name;                   ///< as `popsgd agent --swarm`
  std::span<const popsgd::Address> peers;  ///< to be called
  std::optional<SwarmKey> key{};           ///< of those who are met; none: anybody, in plain text
};

/// Begins to call the peers, and those that they tell of. link_closed: there is no network, or it does not answer; unknown_peer: one
/// cannot be called; no_entropy; and of a key what door_for_members() says.
[[nodiscard]] popsgd::Status start(Node& node, const Services& services, const Swarm& swarm) noexcept;
/// Does what is due; when it is due again if nothing comes.
popsgd::Time turn(popsgd::Time now) noexcept;
/// Something has come.
[[nodiscard]] bool due() noexcept;

}  // namespace firmware::lan
