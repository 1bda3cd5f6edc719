#include "lan.h"

#include "device/lan9118.h"
#include "ethernet/ethernet.h"
#include "neighbours.h"
#include "start/start.h"

#include <optional>

namespace firmware::lan {
namespace {

popsgd::cortex_m::Lan9118 controller;
std::optional<popsgd::cortex_m::Ethernet> ethernet;
std::optional<Neighbours> neighbours;

}  // namespace

bool start(Node& node, popsgd::Clock& clock, popsgd::Entropy& entropy, std::string_view swarm,
           std::span<const popsgd::Address> peers) noexcept {
  struct Seeds {
    std::uint64_t id, seed;
  } seeds{};
  if (entropy.fill(std::as_writable_bytes(std::span(&seeds, 1))) != popsgd::Status::ok) return false;
  ethernet.emplace(controller, clock, entropy);
  if (!ethernet->start()) return false;
  neighbours.emplace(node, clock,
                     popsgd::discovery::Config{.swarm = popsgd::discovery::swarm_tag(swarm),
                                               .id = seeds.id | 1,  // not 0
                                               .seed = seeds.seed,
                                               .announces = false});
  for (const popsgd::Address& peer : peers) {
    if (!neighbours->add(peer)) return false;
  }
  return true;
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
