// The table of peers: who enters, who stays, who is dialled when.
#include "statistics.h"

#include <popsgd/discovery/peers.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd::discovery;
using popsgd::Random;
using popsgd::Time;
using popsgd::v4_address;

constexpr Time kNow{0xFFFFFF00U};
constexpr std::uint64_t kOwn = 50;

Endpoint at(std::uint8_t host, Transport transport = Transport::tcp) {
  return {v4_address({10, 0, 0, host}, 7000), transport};
}

struct Table {
  explicit Table(std::size_t capacity = 4, std::uint64_t seed = 1, const PeersConfig& config = {})
      : places(capacity), peers(places, kOwn, config, Random(seed, popsgd::Purpose::user)) {}

  std::vector<Peer> places;
  Peers peers;

  std::vector<Endpoint> due(Time now) {
    std::array<Endpoint, 300> into{};
    const std::size_t count = peers.due(now, into);
    return {into.begin(), into.begin() + static_cast<std::ptrdiff_t>(count)};
  }
};

TEST_CASE("one's own id never enters, nor does an address that is known to be one's own") {
  Table table;
  CHECK(table.peers.learn(kOwn, at(1), Source::beacon, kNow).refusal == Refusal::own);
  CHECK(table.peers.learn(0, at(2), Source::configured, kNow).news);
  table.peers.is_own(at(2));
  CHECK(table.peers.size() == 0);
  CHECK(table.peers.learn(0, at(2), Source::configured, kNow).refusal == Refusal::own);
  CHECK(table.peers.learn(60, at(2), Source::beacon, kNow).refusal == Refusal::own);
  CHECK(table.peers.size() == 0);
}

TEST_CASE("the same id at two addresses is one peer, the same address under two ids its last owner") {
  Table table;
  CHECK(table.peers.learn(60, at(1), Source::beacon, kNow).news);
  CHECK_FALSE(table.peers.learn(60, at(1), Source::beacon, kNow).news);
  CHECK(table.peers.learn(60, at(2), Source::beacon, kNow).news);
  CHECK(table.peers.size() == 1);
  CHECK(table.peers.find(60)->routes().size() == 2);
  CHECK(table.peers.learn(61, at(2), Source::beacon, kNow).news);
  CHECK(table.peers.size() == 1);
  CHECK_FALSE(table.peers.knows(60));
  CHECK(table.peers.find(at(1))->id == 61);
}

TEST_CASE("an address whose owner is not known becomes that of a peer who says so") {
  Table table;
  CHECK(table.peers.learn(0, at(1), Source::configured, kNow).news);
  CHECK(table.peers.learn(60, at(2), Source::beacon, kNow).news);
  table.peers.learn(60, at(1), Source::hello, kNow);
  CHECK(table.peers.size() == 1);
  CHECK(table.peers.find(60)->stays());
  CHECK(table.peers.find(60)->routes()[1].source == Source::configured);
}

TEST_CASE("no beacon takes the address of a peer that one is linked with; a hello does") {
  Table table;
  table.peers.learn(60, at(1), Source::hello, kNow);
  table.peers.set_connected(60, true, kNow);
  CHECK_FALSE(table.peers.learn(61, at(1), Source::beacon, kNow).news);
  CHECK(table.peers.find(at(1))->id == 60);
  CHECK(table.peers.learn(61, at(1), Source::hello, kNow).news);
  CHECK(table.peers.find(at(1))->id == 61);
  CHECK(table.peers.knows(60));  // linked, without an address
  table.peers.set_connected(60, false, kNow);
  CHECK_FALSE(table.peers.knows(60));
}

TEST_CASE("a full table drives out one at random, never a configured or a connected one") {
  std::array<std::uint64_t, 2> evicted{};
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    Table table(4, seed);
    table.peers.learn(0, at(1), Source::configured, kNow);
    table.peers.learn(62, at(2), Source::beacon, kNow);
    table.peers.learn(63, at(3), Source::beacon, kNow);
    table.peers.set_connected(63, true, kNow);
    table.peers.learn(64, at(4), Source::beacon, kNow);
    const auto learned = table.peers.learn(0, at(5), Source::exchange, kNow);
    REQUIRE(learned.refusal == Refusal::none);
    REQUIRE_FALSE(learned.news);  // it has cost another its place
    REQUIRE(table.peers.find(at(1)) != nullptr);
    REQUIRE(table.peers.find(at(3)) != nullptr);
    REQUIRE(table.peers.find(at(5)) != nullptr);
    ++evicted.at(table.peers.find(at(2)) == nullptr ? 0 : 1);
  }
  CHECK(popsgd::test::chi_square_deviate(evicted) < popsgd::test::kFiveSigma);
  Table table(1);
  table.peers.learn(0, at(1), Source::configured, kNow);
  CHECK(table.peers.learn(60, at(2), Source::beacon, kNow).refusal == Refusal::no_room);
}

TEST_CASE("all that are due are due at once, each once until its dial is over or out of patience") {
  Table table(300);
  std::set<std::uint8_t> hosts;
  for (int k = 1; k <= 200; ++k)
    table.peers.learn(0, at(static_cast<std::uint8_t>(k)), Source::configured, kNow);
  for (const Endpoint& endpoint : table.due(kNow)) hosts.insert(endpoint.address.ip[15]);
  CHECK(hosts.size() == 200);
  CHECK(table.due(kNow).empty());
  CHECK(table.due(kNow + 9'999).empty());
  CHECK(table.due(kNow + 10'000).size() == 200);
}

TEST_CASE(
    "back-off after failures doubles from 1 s to a minute, drawn from the upper half; success ends it") {
  Table table;
  table.peers.learn(0, at(1), Source::configured, kNow);
  Time now = kNow;
  double longest = 1000;
  for (int failures = 1; failures < 300; ++failures) {
    REQUIRE(table.due(now).size() == 1);
    table.peers.failed(at(1), now);
    const double wait = table.peers.deadline()->since(now);
    REQUIRE(wait >= longest / 2);
    REQUIRE(wait <= longest);
    longest = std::min(60'000.0, 2 * longest);
    now = *table.peers.deadline();
  }
  table.peers.succeeded(at(1));
  table.peers.failed(at(1), now);
  CHECK(table.peers.deadline()->since(now) <= 1000);
}

TEST_CASE("who is connected is not dialled; who was, is dialled again after a moment") {
  Table table;
  table.peers.learn(60, at(1), Source::beacon, kNow);
  table.peers.set_connected(60, true, kNow);
  CHECK(table.due(kNow + 1'000'000).empty());
  CHECK_FALSE(table.peers.deadline());
  const Time later = kNow + 3'000'000'000U;  // 34 days: times of before mean nothing any more
  table.peers.expire(later);
  table.peers.set_connected(60, false, later);
  CHECK(table.due(later).empty());
  CHECK(table.due(later + 1000).size() == 1);
}

TEST_CASE("of a pair the smaller id dials first, and of two addresses the one that was learned first") {
  Table table;
  table.peers.learn(kOwn + 1, at(1), Source::beacon, kNow);
  table.peers.learn(kOwn - 1, at(2), Source::beacon, kNow);
  table.peers.learn(kOwn + 1, at(3), Source::beacon, kNow);
  CHECK(table.due(kNow) == std::vector{at(1)});
  CHECK(table.due(kNow + 250) == std::vector{at(3)});
  CHECK(table.due(kNow + 500) == std::vector{at(2)});
}

TEST_CASE(
    "who is not heard of is forgotten; hearsay keeps nobody alive, a beacon does, and static ones stay") {
  Table table;
  table.peers.learn(0, at(1), Source::configured, kNow);
  table.peers.learn(60, at(2), Source::beacon, kNow);
  table.peers.learn(61, at(3), Source::beacon, kNow);
  table.peers.learn(0, at(2), Source::exchange, kNow + 500'000);
  table.peers.learn(61, at(3), Source::beacon, kNow + 500'000);
  table.peers.expire(kNow + 599'999);
  CHECK(table.peers.size() == 3);
  table.peers.expire(kNow + 600'000);
  CHECK_FALSE(table.peers.knows(60));
  CHECK(table.peers.knows(61));
  table.peers.expire(kNow + 2'000'000'000);
  CHECK(table.peers.size() == 1);
  CHECK(table.peers.find(at(1)) != nullptr);
}

TEST_CASE("a peer keeps four addresses, those that are configured and those that work before others") {
  Table table;
  for (std::uint8_t host = 1; host <= 4; ++host) table.peers.learn(60, at(host), Source::beacon, kNow);
  CHECK_FALSE(table.peers.learn(60, at(5), Source::beacon, kNow).news);
  table.peers.failed(at(2), kNow);
  CHECK(table.peers.learn(60, at(5), Source::beacon, kNow).news);
  CHECK(table.peers.find(at(2)) == nullptr);
  table.peers.learn(0, at(9), Source::configured, kNow);
  table.peers.learn(60, at(9), Source::hello, kNow);
  CHECK(table.peers.find(at(9))->id == 60);
  CHECK(table.peers.size() == 1);
}

TEST_CASE(
    "told is of those alive alone: connected, or heard and not failed; and of what another machine can "
    "reach") {
  Table table(8);
  const auto sampled = [&table](const popsgd::Address& far) {
    std::array<Endpoint, 16> into{};
    const std::size_t count = table.peers.sample(66, far, into);
    std::set<std::uint8_t> hosts;
    for (const Endpoint& endpoint : std::span(into).first(count)) hosts.insert(endpoint.address.ip[15]);
    return hosts;
  };
  table.peers.learn(0, at(1), Source::configured, kNow);
  table.peers.learn(0, at(2), Source::exchange, kNow);
  table.peers.learn(63, at(3), Source::beacon, kNow);
  table.peers.learn(64, at(4), Source::beacon, kNow);
  table.peers.failed(at(4), kNow);
  table.peers.learn(65, at(5), Source::exchange, kNow);
  table.peers.set_connected(65, true, kNow);
  table.peers.learn(66, at(6), Source::hello, kNow);
  table.peers.learn(67, {v4_address({127, 0, 0, 7}, 7000)}, Source::beacon, kNow);
  popsgd::Address local{.port = 7000, .scope = 2};
  local.ip = {0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8};
  table.peers.learn(68, {local}, Source::beacon, kNow);
  CHECK(sampled(at(6).address) == std::set<std::uint8_t>{3, 5});
  CHECK(sampled(v4_address({127, 0, 0, 1}, 1)) == std::set<std::uint8_t>{3, 5, 7});
}

TEST_CASE("whatever is learned and lost, ids and addresses are in the table once, and what must stay stays") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Table table(6, seed);
    Random random(seed, popsgd::Purpose::user, 2);
    table.peers.learn(0, at(1), Source::configured, kNow);
    Time now = kNow;
    for (int step = 0; step < 400; ++step) {
      now = now + random.below(5'000);
      const auto endpoint = at(static_cast<std::uint8_t>(1 + random.below(12)));
      const std::uint64_t id = 45 + random.below(10);
      switch (random.below(7)) {
        case 0:
          table.peers.learn(id, endpoint, Source::beacon, now);
          break;
        case 1:
          table.peers.learn(id, endpoint, Source::hello, now);
          break;
        case 2:
          table.peers.learn(0, endpoint, Source::exchange, now);
          break;
        case 3:
          table.peers.set_connected(id, random.below(2) == 0, now);
          break;
        case 4:
          table.peers.failed(endpoint, now);
          break;
        case 5:
          static_cast<void>(table.due(now));
          break;
        default:
          table.peers.expire(now);
          break;
      }
      std::set<std::uint64_t> ids;
      std::set<std::uint8_t> hosts;
      for (const Peer& peer : table.peers.places()) {
        if (!peer.used) {
          REQUIRE(peer.count == 0);
          continue;
        }
        REQUIRE(peer.id != kOwn);
        REQUIRE((peer.count > 0 || peer.connected));
        if (peer.id != 0) REQUIRE(ids.insert(peer.id).second);
        for (const Route& route : peer.routes()) REQUIRE(hosts.insert(route.endpoint.address.ip[15]).second);
      }
      REQUIRE(table.peers.find(at(1)) != nullptr);
      REQUIRE(table.peers.find(at(1))->stays());
    }
  }
}

}  // namespace
