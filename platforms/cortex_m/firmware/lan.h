// The device on its network: whom it meets there, and by which links. lan.cpp is for boards with Ethernet, no_lan.cpp for others.
#pragma once

#include "node.h"

#include <popsgd/address.h>
#include <popsgd/clock.h>
#include <popsgd/entropy.h>

#include <span>
#include <string_view>

namespace firmware::lan {

/// Begins to call the peers, and those that they tell of. The swarm is that of `popsgd agent --swarm`. false: there is no network,
/// or it does not answer.
[[nodiscard]] bool start(Node& node, popsgd::Clock& clock, popsgd::Entropy& entropy, std::string_view swarm,
                         std::span<const popsgd::Address> peers) noexcept;
/// Does what is due; when it is due again if nothing comes.
popsgd::Time turn(popsgd::Time now) noexcept;
/// Something has come.
[[nodiscard]] bool due() noexcept;

}  // namespace firmware::lan
