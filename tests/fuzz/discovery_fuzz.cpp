// What anybody may send to an agent that looks for peers: the input is a script of beacons, messages on links, failures
// and time. Whatever it says: nothing is read or written out of bounds, the table keeps its promises, and every action is
// one that can be done. See discovery_script.h.
#include "discovery_script.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

namespace {

using namespace popsgd::discovery;

void expect(bool promise) {
  if (!promise) std::abort();
}

void check_table(const Discovery& discovery, std::uint64_t own) {
  for (const Peer& peer : discovery.peers().places()) {
    if (!peer.used) continue;
    expect(peer.id != own);
    expect(peer.count <= Peer::kRoutes && (peer.count > 0 || peer.connected));
    expect(peer.id == 0 || discovery.peers().find(peer.id) == &peer);
    for (const Route& route : peer.routes()) {
      const popsgd::Address& address = route.endpoint.address;
      expect(discovery.peers().find(route.endpoint) == &peer);
      expect(address.port != 0 && !is_multicast(address) && !is_unspecified(address));
    }
  }
}

void check_action(const Action& action) {
  PeerList list;
  Announcement said;
  switch (action.kind) {
    case Action::Kind::announce:
      expect(decode_beacon(action.bytes, said) == Refusal::none);
      break;
    case Action::Kind::send:
      expect(decode_hello(action.bytes, said) == Refusal::none ||
             decode_peers(action.bytes, list) == Refusal::none);
      break;
    case Action::Kind::dial:
      expect(action.endpoint.address.port != 0);
      break;
    default:
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  popsgd::test::DiscoveryScript script(std::as_bytes(std::span(data, size)));
  while (script.step()) {
    for (int actions = 0;; ++actions) {
      expect(actions < 100);  // it comes to rest
      const Action action = script.discovery.poll(script.now);
      if (action.kind == Action::Kind::nothing) break;
      check_action(action);
    }
    expect(script.discovery.deadline().since(script.now) > 0);
    check_table(script.discovery, popsgd::test::DiscoveryScript::kOwn);
  }
  return 0;
}
