// What anybody may send where the beacons of a swarm with a key come: whatever passes for a member's is byte for byte one that the
// key makes, and nothing else leads to a dial. The code is HMAC-SHA256, as an agent's.
#include "agent/beacon_keys.h"
#include "beacon_key.h"
#include "secure_pair.h"

#include <popsgd/discovery/discovery.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>

namespace {

using namespace popsgd;
using namespace popsgd::discovery;

void expect(bool promise) {
  if (!promise) std::abort();
}

/// Of an epoch whose key is accepted, and of no other.
bool is_made_by(const secure::SwarmKeys& keys, Announcement said, std::span<const std::byte> bytes) {
  for (const auto& epoch : {keys.current, *keys.previous}) {
    command::BeaconKeys key({.current = epoch});
    if (std::ranges::equal(encode_beacon(said, key), bytes)) return true;
  }
  return false;
}

void hear(std::span<const std::byte> bytes, const secure::SwarmKeys& keys) {
  command::BeaconKeys key(keys);
  Announcement said;
  const bool decoded = decode_beacon(bytes, said) == Refusal::none;
  const bool proven = decoded && proves(bytes, said, key) == Refusal::none;
  Memory<6> memory;
  const Time now{5};
  Discovery discovery({.swarm = swarm_tag("fuzz"), .id = 8, .seed = 1, .tcp_port = 9, .key = &key}, memory,
                      now);
  static_cast<void>(discovery.heard(bytes, v4_address({10, 0, 0, 7}, 7), now));
  expect(proven || discovery.peers().size() == 0);
  if (proven) expect(is_made_by(keys, said, bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const secure::SwarmKeys keys = test::swarm_keys();
  const auto bytes = std::as_bytes(std::span(data, size));
  hear(bytes, keys);
  if (size != kAnnouncement) return 0;
  // As if whoever sent it had known to take checksums.
  AnnouncementBytes corrected{};
  std::ranges::copy(bytes, corrected.begin());
  test::correct_checksum(corrected);
  hear(corrected, keys);
  return 0;
}
