#include "lan.h"

#include "device/lan9118.h"
#include "door.h"
#include "ethernet/ethernet.h"
#include "neighbours.h"
#include "start/start.h"

#include <optional>

namespace firmware::lan {
namespace {

using popsgd::Status;

popsgd::cortex_m::Lan9118 controller;
std::optional<popsgd::cortex_m::Ethernet> ethernet;
std::optional<Neighbours> neighbours;

}  // namespace

Status start(Node& node, const Services& services, const Swarm& swarm) noexcept {
  struct Seeds {
    std::uint64_t id, seed;
  } seeds{};
  if (services.entropy.fill(std::as_writable_bytes(std::span(&seeds, 1))) != Status::ok)
    return Status::no_entropy;
  const auto door = swarm.key ? door_for_members(*swarm.key, services) : popsgd::Result<Door*>(nullptr);
  if (!door.ok()) return door.status();
  ethernet.emplace(controller, services.clock, services.entropy);
  if (!ethernet->start()) return Status::link_closed;
  neighbours.emplace(node, services.clock,
                     popsgd::discovery::Config{.swarm = popsgd::discovery::swarm_tag(swarm.name),
                                               .id = seeds.id | 1,  // not 0
                                               .seed = seeds.seed,
                                               .announces = false},
                     door.value());
  for (const popsgd::Address& peer : swarm.peers) {
    if (!neighbours->add(peer)) return Status::unknown_peer;
  }
  return Status::ok;
}

popsgd::Time turn(popsgd::Time now) noexcept {
  if (!ethernet) return now + 1000;
  ethernet->turn();
  const popsgd::Time next = ethernet->deadline();
  return ethernet->up() ? earlier(next, neighbours->turn()) : next;
}

bool due() noexcept {
  return ethernet && ethernet->due();
}

}  // namespace firmware::lan

void ethernet_interrupt() noexcept {
  firmware::lan::controller.interrupt();
}
