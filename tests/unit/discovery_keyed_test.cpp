// Beacons of a swarm that has a key: whose are believed, and what those cost that are not.
#include "beacon_key.h"
#include "discovery_net.h"

#include <popsgd/discovery/discovery.h>
#include <popsgd/random.h>

#include <cstdint>
#include <set>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd::discovery;
using popsgd::Address;
using popsgd::Random;
using popsgd::Time;
using popsgd::v4_address;
using popsgd::test::BeaconKey;
using Kind = Action::Kind;

constexpr Time kNow{0xFFFFFF00U};
constexpr std::uint64_t kOwn = 50, kPeer = 60;

Address host(std::uint32_t k) {
  return v4_address({10, static_cast<std::uint8_t>(k >> 16), static_cast<std::uint8_t>(k >> 8),
                     static_cast<std::uint8_t>(k)},
                    20783);
}

struct Agent {
  explicit Agent(popsgd::discovery::BeaconKey* key, std::uint16_t checks = 100)
      : config{.swarm = swarm_tag("swarm"),
               .id = kOwn,
               .seed = 1,
               .tcp_port = 7000,
               .key = key,
               .checks = checks} {}

  [[nodiscard]] AnnouncementBytes beacon(popsgd::discovery::BeaconKey* of, std::uint64_t id = kPeer) const {
    const Announcement said{.swarm = config.swarm, .id = id, .tcp_port = 7000};
    return of != nullptr ? encode_beacon(said, *of) : encode_beacon(said);
  }
  /// What it wants to do now, counted.
  std::size_t polled(Kind kind, Time now) {
    std::size_t count = 0;
    for (Action action = discovery.poll(now); action.kind != Kind::nothing; action = discovery.poll(now)) {
      if (action.kind == kind) ++count;
      if (action.kind == Kind::dial) discovery.failed(action.endpoint, now);
    }
    return count;
  }

  Config config;
  Memory<8> memory{};
  Discovery discovery{config, memory, kNow};
};

TEST_CASE(
    "beacons of the key's epoch and of the one before are believed, no others, and none without a code") {
  BeaconKey own(7), same(7), before(6), next(8), two_before(5), wrong(7, 1);
  const auto heard = [](popsgd::discovery::BeaconKey* of, popsgd::discovery::BeaconKey* by) {
    Agent agent(by);
    const Refusal refusal = agent.discovery.heard(agent.beacon(of), host(1), kNow);
    CHECK(agent.discovery.peers().size() == (refusal == Refusal::none ? 1 : 0));
    CHECK(agent.discovery.counts().beacons.of(refusal) == (refusal == Refusal::none ? 0 : 1));
    return refusal;
  };
  CHECK(heard(&same, &own) == Refusal::none);
  CHECK(heard(&before, &own) == Refusal::none);
  CHECK(heard(&own, &next) == Refusal::none);  // who is behind is met by who is ahead
  CHECK(heard(&next, &own) == Refusal::other_epoch);
  CHECK(heard(&two_before, &own) == Refusal::other_epoch);
  CHECK(heard(&wrong, &own) == Refusal::forged);
  CHECK(heard(nullptr, &own) == Refusal::unkeyed);
  CHECK(heard(&own, nullptr) == Refusal::keyed);
  CHECK(heard(nullptr, nullptr) == Refusal::none);
}

TEST_CASE("epochs are compared by their lower half, also where it wraps around") {
  BeaconKey own(0), before(0xFFFF), two_before(0xFFFE);
  Agent agent(&own);
  CHECK(agent.discovery.heard(agent.beacon(&before), host(1), kNow) == Refusal::none);
  CHECK(agent.discovery.heard(agent.beacon(&two_before), host(2), kNow) == Refusal::other_epoch);
}

TEST_CASE("one's own beacon that comes back is known by its id, and costs no code") {
  BeaconKey key(1);
  Agent agent(&key);
  const AnnouncementBytes own = agent.beacon(&key, kOwn);
  key.computed = 0;
  CHECK(agent.discovery.heard(own, host(1), kNow) == Refusal::own);
  CHECK(agent.discovery.heard(own, host(66), kNow) == Refusal::own);  // reflected, from where it was not sent
  CHECK(key.computed == 0);
  CHECK(agent.discovery.peers().size() == 0);
  CHECK(agent.polled(Kind::dial, kNow + 1000) == 0);
}

TEST_CASE("a beacon that is sent again and again from one address costs a dial, then the back-off's") {
  BeaconKey key(1);
  Agent agent(&key);
  const AnnouncementBytes recorded = agent.beacon(&key);
  std::size_t dials = 0;
  for (std::uint32_t ms = 0; ms < 600'000; ms += 10) {
    agent.discovery.heard(recorded, host(66), kNow + ms);
    dials += agent.polled(Kind::dial, kNow + ms);
  }
  // 1 s, doubled up to 60 s, of which the upper half is drawn: 9 of them in the first 300 s, then at least 30 s each.
  CHECK(dials >= 2);
  CHECK(dials <= 1 + 9 + 20);
  CHECK(agent.discovery.peers().size() == 1);
}

TEST_CASE("a beacon that is sent again costs at most one dial, from however many addresses") {
  BeaconKey key(1);
  Agent agent(&key, 50);
  const AnnouncementBytes recorded = agent.beacon(&key);
  std::size_t dials = 0, believed = 0;
  constexpr std::uint32_t kSeconds = 20;
  for (std::uint32_t k = 0; k < 1000 * kSeconds; ++k) {
    believed += agent.discovery.heard(recorded, host(k + 1), kNow + k) == Refusal::none ? 1 : 0;
    dials += agent.polled(Kind::dial, kNow + k);
  }
  CHECK(believed <= 50 * (kSeconds + 1));
  CHECK(dials <= believed);
  CHECK(agent.discovery.peers().size() == 1);
}

TEST_CASE("a flood of forged beacons costs so many codes a second and no more, and leaves no trace") {
  BeaconKey key(1), wrong(1, 99), other_epoch(9);
  Agent agent(&key, 20);
  Random random(5, popsgd::Purpose::user);
  constexpr std::uint32_t kSeconds = 30;
  for (std::uint32_t ms = 0; ms < 1000 * kSeconds; ++ms) {
    const std::uint64_t id = random.bits64() | 1U;
    agent.discovery.heard(agent.beacon(&wrong, id), host(random.below(60000)), kNow + ms);
    agent.discovery.heard(agent.beacon(&other_epoch, id), host(random.below(60000)), kNow + ms);
    agent.discovery.heard(agent.beacon(nullptr, id), host(random.below(60000)), kNow + ms);
  }
  CHECK(key.computed <= 20 * (kSeconds + 1));
  CHECK(key.computed >= 20 * (kSeconds - 1));
  const Refusals& refused = agent.discovery.counts().beacons;
  CHECK(refused.of(Refusal::forged) == key.computed);
  CHECK(refused.of(Refusal::forged) + refused.of(Refusal::too_many) == 1000 * kSeconds);
  CHECK(refused.of(Refusal::other_epoch) == 1000 * kSeconds);
  CHECK(refused.of(Refusal::unkeyed) == 1000 * kSeconds);
  CHECK(agent.discovery.peers().size() == 0);
  // When it has ended, members are heard again: also where the clock has gone round half of its circle meanwhile.
  static_cast<void>(agent.polled(Kind::announce, kNow + 1'000'000'000));
  static_cast<void>(agent.polled(Kind::announce, kNow + 2'000'000'000));
  static_cast<void>(agent.polled(Kind::announce, kNow + 3'000'000'000));
  CHECK(agent.discovery.heard(agent.beacon(&key), host(1), kNow + 3'000'000'000) == Refusal::none);
}

TEST_CASE(
    "on one network, three swarms with keys of their own and one without find themselves and nobody else") {
  BeaconKey keys[] = {BeaconKey(1, 1), BeaconKey(1, 2), BeaconKey(2, 2), BeaconKey(4, 3)};
  const auto swarm_of = [](std::size_t k) {
    return k % 5;
  };  // the last: no key; 1 and 2: neighbouring epochs
  popsgd::test::DiscoveryNet net({.agents = 20, .spread_ms = 1000});
  for (std::size_t k = 0; k < 20; ++k)
    net.agents[k].config.key = swarm_of(k) < 4 ? &keys[swarm_of(k)] : nullptr;
  net.run_until(30'000);
  for (std::size_t a = 0; a < 20; ++a) {
    for (std::size_t b = 0; b < 20; ++b) {
      if (a == b) continue;
      const bool one_key =
          swarm_of(a) == swarm_of(b) || (swarm_of(a) + swarm_of(b) == 3 && swarm_of(a) % 3 != 0);
      CAPTURE(a);
      CAPTURE(b);
      CHECK(net.knows(a, b) == one_key);
    }
  }
}

}  // namespace
