// What an agent says and believes on links, step by step.
#include <popsgd/discovery/discovery.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd::discovery;
using popsgd::Random;
using popsgd::Time;
using popsgd::v4_address;
using Kind = Action::Kind;

constexpr Time kNow{0xFFFFFF00U};
constexpr LinkId kLink{7};
constexpr std::uint64_t kOwn = 50, kPeer = 60;

Endpoint at(std::uint8_t host, Transport transport = Transport::tcp, std::uint16_t port = 7000) {
  return {v4_address({10, 0, 0, host}, port), transport};
}

struct Agent {
  explicit Agent(std::uint64_t id = kOwn, bool announces = false) : config(configured(id, announces)) {}

  static Config configured(std::uint64_t id, bool announces) {
    Config config{.swarm = swarm_tag("swarm"), .id = id, .seed = id, .tcp_port = 7000, .dials_udp = true};
    config.announces = announces;
    return config;
  }
  [[nodiscard]] std::vector<Action> polled(Time now) {
    std::vector<Action> actions;
    for (Action action = discovery.poll(now); action.kind != Kind::nothing; action = discovery.poll(now)) {
      kept.emplace_back(action.bytes.begin(), action.bytes.end());
      actions.push_back(action);
      actions.back().bytes = {};
    }
    return actions;
  }
  [[nodiscard]] static std::size_t count(const std::vector<Action>& actions, Kind kind) {
    return static_cast<std::size_t>(std::count_if(
        actions.begin(), actions.end(), [kind](const Action& action) { return action.kind == kind; }));
  }
  Refusal hello(std::uint64_t id, Time now, LinkId link = kLink, std::uint8_t flags = 0) {
    const Announcement said{.swarm = config.swarm, .id = id, .tcp_port = 7000, .flags = flags};
    return discovery.received(link, encode_hello(said), now);
  }
  Refusal peers(const std::vector<Endpoint>& endpoints, Time now) {
    PeersBytes bytes{};
    const std::size_t length = encode_peers(endpoints, bytes);
    return discovery.received(kLink, std::span(bytes).first(length), now);
  }

  Config config;
  Memory<8> memory{};
  Discovery discovery{config, memory, kNow};
  std::vector<std::vector<std::byte>> kept;
};

TEST_CASE("both ends say hello at once; when it has come, frames may go, and the list of peers follows") {
  for (const bool dialled : {false, true}) {
    Agent agent;
    REQUIRE(agent.discovery.opened(kLink, at(1), dialled, kNow) == Refusal::none);
    CHECK(Agent::count(agent.polled(kNow), Kind::send) == 1);
    Announcement said;
    CHECK(decode_hello(agent.kept.back(), said) == Refusal::none);
    CHECK(said.id == kOwn);
    CHECK(said.tcp_port == 7000);
    CHECK_FALSE(agent.discovery.met(kLink));
    CHECK(agent.hello(kPeer, kNow) == Refusal::none);
    CHECK(agent.discovery.peer(kLink) == kPeer);
    CHECK(Agent::count(agent.polled(kNow), Kind::send) == 1);
    CHECK(is_peers(agent.kept.back()));
    CHECK(agent.discovery.peers().find(at(1))->id == kPeer);
    agent.discovery.closed(kLink, kNow + 1);
    CHECK_FALSE(agent.discovery.met(kLink));
    CHECK(Agent::count(agent.polled(kNow + 2'000), Kind::dial) == 1);
  }
}

TEST_CASE(
    "a hello is repeated five times in all, a second apart; then the link is given up, and its address backs "
    "off") {
  Agent agent;
  REQUIRE(agent.discovery.add(at(1), kNow) == Refusal::none);
  CHECK(Agent::count(agent.polled(kNow), Kind::dial) == 1);
  REQUIRE(agent.discovery.opened(kLink, at(1), true, kNow) == Refusal::none);
  for (std::uint32_t k = 0; k < 5; ++k) {
    CHECK(Agent::count(agent.polled(kNow + 1000 * k), Kind::send) == 1);
    CHECK(agent.polled(kNow + 1000 * k + 999).empty());
  }
  const auto actions = agent.polled(kNow + 5000);
  REQUIRE(actions.size() == 1);
  CHECK(actions[0].kind == Kind::close);
  CHECK(actions[0].link == kLink);
  CHECK(agent.discovery.peers().find(at(1))->routes()[0].failures == 1);
}

TEST_CASE("over a link that loses three of ten, 95 of 100 pairs meet at the first try, and then keep quiet") {
  std::size_t met = 0;
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    Random random(3, popsgd::Purpose::user, seed);
    Agent a(kOwn), b(kPeer);
    REQUIRE(a.discovery.opened(kLink, at(2, Transport::udp), true, kNow) == Refusal::none);
    REQUIRE(b.discovery.opened(kLink, at(1, Transport::udp), false, kNow) == Refusal::none);
    std::size_t sent = 0;
    const auto carry = [&](Agent& from, Agent& to, Time now) {
      const std::size_t before = from.kept.size();
      const std::size_t messages = Agent::count(from.polled(now), Kind::send);
      sent += messages;
      for (std::size_t k = before; k < from.kept.size(); ++k) {
        if (!from.kept[k].empty() && random.below(10) >= 3) to.discovery.received(kLink, from.kept[k], now);
      }
    };
    for (std::uint32_t ms = 0; ms < 6000; ms += 10) {
      carry(a, b, kNow + ms);
      carry(b, a, kNow + ms);
    }
    CHECK(sent < 40);
    if (a.discovery.met(kLink) && b.discovery.met(kLink)) ++met;
  }
  CHECK(met >= 95);
}

TEST_CASE(
    "of whom is no use the link is closed: another swarm, another version, oneself, somebody else than "
    "before") {
  const auto closes = [](Agent& agent) {
    const auto actions = agent.polled(kNow + 1);
    return Agent::count(actions, Kind::close) == 1 && !agent.discovery.met(kLink);
  };
  const auto open = [](Agent& agent) {
    REQUIRE(agent.discovery.add(at(1), kNow) == Refusal::none);
    REQUIRE(agent.discovery.opened(kLink, at(1), true, kNow) == Refusal::none);
  };
  Agent foreign;
  open(foreign);
  const Announcement other{.swarm = swarm_tag("another"), .id = kPeer};
  CHECK(foreign.discovery.received(kLink, encode_hello(other), kNow) == Refusal::other_swarm);
  CHECK(closes(foreign));

  Agent older;
  open(older);
  AnnouncementBytes newer = encode_hello({.swarm = older.config.swarm, .id = kPeer});
  newer[4] = std::byte{2};
  CHECK(older.discovery.received(kLink, newer, kNow) == Refusal::unknown_version);
  CHECK(closes(older));

  Agent lonely;
  open(lonely);
  CHECK(lonely.hello(kOwn, kNow) == Refusal::own);
  CHECK(closes(lonely));
  CHECK(lonely.discovery.peers().size() == 0);

  Agent changed;
  open(changed);
  CHECK(changed.hello(kPeer, kNow) == Refusal::none);
  CHECK(changed.hello(kPeer + 1, kNow) == Refusal::none);
  CHECK(closes(changed));
}

TEST_CASE("what is damaged, comes too early or on no link changes nothing, and is counted") {
  Agent agent;
  const auto of = [&agent](Refusal refusal) { return agent.discovery.counts().messages.of(refusal); };
  CHECK(agent.hello(kPeer, kNow) == Refusal::unknown_link);
  REQUIRE(agent.discovery.opened(kLink, at(1), false, kNow) == Refusal::none);
  CHECK(agent.peers({at(2)}, kNow) == Refusal::no_hello);
  AnnouncementBytes damaged = encode_hello({.swarm = agent.config.swarm, .id = kPeer});
  damaged[20] ^= std::byte{1};
  CHECK(agent.discovery.received(kLink, damaged, kNow) == Refusal::damaged);
  CHECK(of(Refusal::unknown_link) == 1);
  CHECK(of(Refusal::no_hello) == 1);
  CHECK(of(Refusal::damaged) == 1);
  CHECK(agent.discovery.peers().size() == 0);
  CHECK(Agent::count(agent.polled(kNow), Kind::close) == 0);
  CHECK(agent.hello(kPeer, kNow) == Refusal::none);
  CHECK(agent.discovery.met(kLink));
}

TEST_CASE("of a list of peers is believed what is worth dialling; the rest is counted by its reason") {
  Agent agent;
  REQUIRE(agent.discovery.opened(kLink, at(1), false, kNow) == Refusal::none);
  REQUIRE(agent.hello(kPeer, kNow) == Refusal::none);
  agent.discovery.is_own(at(9));
  const Endpoint local{{.ip = {0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, .port = 1, .scope = 0}};
  CHECK(agent.peers({at(2),
                     at(3, Transport::tcp, 0),
                     at(9),
                     {v4_address({127, 0, 0, 1}, 1)},
                     {v4_address({239, 0, 0, 1}, 1)},
                     {v4_address({0, 0, 0, 0}, 1)},
                     local,
                     at(4, Transport::udp)},
                    kNow) == Refusal::none);
  const Refusals& refused = agent.discovery.counts().addresses;
  for (const Refusal refusal : {Refusal::no_port, Refusal::own, Refusal::foreign_loopback, Refusal::multicast,
                                Refusal::unspecified, Refusal::foreign_scope}) {
    CAPTURE(text(refusal));
    CHECK(refused.of(refusal) == 1);
  }
  CHECK(agent.discovery.peers().size() == 3);  // 1, 2 and 4
  const auto actions = agent.polled(kNow);
  CHECK(Agent::count(actions, Kind::dial) == 2);
}

TEST_CASE(
    "of two links dialled from both ends the smaller id's stays, unless it is an old one that the peer has "
    "lost") {
  constexpr LinkId mine{1}, theirs{2};
  for (const std::uint64_t peer : {kOwn - 1, kOwn + 1}) {
    for (const std::uint32_t later : {0U, 60'000U}) {
      Agent agent;
      REQUIRE(agent.discovery.opened(mine, at(1), true, kNow) == Refusal::none);
      REQUIRE(agent.hello(peer, kNow, mine) == Refusal::none);
      static_cast<void>(agent.polled(kNow));
      const Time then = kNow + later;
      REQUIRE(agent.discovery.opened(theirs, at(1, Transport::tcp, 50000), false, then) == Refusal::none);
      REQUIRE(agent.hello(peer, then, theirs) == Refusal::none);
      const bool newer_stays = later > 0 || peer < kOwn;
      CHECK(agent.discovery.met(theirs) == newer_stays);
      CHECK(agent.discovery.met(mine) != newer_stays);
      CHECK(agent.discovery.counts().doubles == 1);
      CHECK(Agent::count(agent.polled(then), Kind::close) == 1);
      CHECK(agent.discovery.peers().find(peer)->connected);
    }
  }
}

TEST_CASE("when there is no room for another link, it is refused, and the others go on") {
  Agent agent;
  for (std::uint32_t k = 0; k < 16; ++k)
    REQUIRE(agent.discovery.opened(LinkId{k}, at(1), false, kNow) == Refusal::none);
  CHECK(agent.discovery.opened(LinkId{16}, at(1), false, kNow) == Refusal::no_room);
  agent.discovery.closed(LinkId{3}, kNow);
  CHECK(agent.discovery.opened(LinkId{16}, at(1), false, kNow) == Refusal::none);
}

TEST_CASE(
    "beacons are refused by their reason, believed from others of the swarm, and answered quickly if new") {
  Agent agent(kOwn, true);
  const auto heard = [&agent](Announcement said, std::uint8_t host, Time now) {
    return agent.discovery.heard(encode_beacon(said), at(host, Transport::tcp, 20783).address, now);
  };
  Announcement said{.swarm = agent.config.swarm, .id = kPeer, .tcp_port = 7000};
  Time now = kNow;
  while (agent.discovery.deadline().since(kNow) < 60'000) {  // at rest
    now = agent.discovery.deadline();
    static_cast<void>(agent.polled(now));
  }
  CHECK(heard(said, 1, now) == Refusal::none);
  CHECK(agent.discovery.peers().find(at(1))->id == kPeer);
  std::size_t sent = 0;
  for (std::uint32_t ms = 0; ms <= 250; ++ms) sent += Agent::count(agent.polled(now + ms), Kind::announce);
  CHECK(sent == 1);
  said.id = kOwn;
  CHECK(heard(said, 2, now) == Refusal::own);
  said = {.swarm = swarm_tag("another"), .id = kPeer, .tcp_port = 7000};
  CHECK(heard(said, 3, now) == Refusal::other_swarm);
  CHECK(agent.discovery.heard({}, at(1).address, now) == Refusal::wrong_magic);
  said = {.swarm = agent.config.swarm, .id = kPeer, .tcp_port = 7000};
  CHECK(agent.discovery.heard(encode_beacon(said), v4_address({0, 0, 0, 0}, 1), now) == Refusal::unspecified);
  CHECK(agent.discovery.counts().beacons.of(Refusal::other_swarm) == 1);
  CHECK(agent.discovery.counts().beacons_heard == 1);
  CHECK(agent.discovery.peers().size() == 1);
}

TEST_CASE("a flood of invented agents fills the table, and does not keep an agent talking") {
  Agent agent(kOwn, true);
  Random random(4, popsgd::Purpose::user);
  std::size_t sent = 0;
  for (std::uint32_t ms = 0; ms < 100'000; ms += 10) {
    const Time now = kNow + ms;
    const Announcement said{.swarm = agent.config.swarm, .id = random.bits64() | 1U, .tcp_port = 7000};
    agent.discovery.heard(encode_beacon(said), at(static_cast<std::uint8_t>(1 + random.below(250))).address,
                          now);
    sent += Agent::count(agent.polled(now), Kind::announce);
  }
  CHECK(agent.discovery.peers().size() == 8);
  CHECK(sent < 20);
}

// Polls once a second until nothing more is sent on the link; how often the peer was asked.
int asked_until_closed(Agent& agent, Time& now, bool& silent_at_once) {
  int asked = 0;
  for (;; now = now + 1000) {
    const std::size_t first = agent.kept.size();
    const std::vector<Action> actions = agent.polled(now);
    for (std::size_t k = 0; k < actions.size(); ++k) {
      if (actions[k].kind == Kind::close) return asked;
      Announcement said;
      const bool hello = decode_hello(agent.kept[first + k], said) == Refusal::none;
      if (actions[k].kind == Kind::send && hello && said.flags == 0) ++asked;
    }
    if (asked == 1) silent_at_once = agent.discovery.silent(kLink);
    REQUIRE(asked < 100);
  }
}

TEST_CASE("a peer in doubt is asked whether it is there, some times, then its link is closed") {
  for (const Transport transport : {Transport::tcp, Transport::udp}) {
    Agent agent;
    REQUIRE(agent.discovery.opened(kLink, at(1, transport), true, kNow) == Refusal::none);
    REQUIRE(agent.hello(kPeer, kNow, kLink, kAnswered) == Refusal::none);
    static_cast<void>(agent.polled(kNow));
    CHECK_FALSE(agent.discovery.silent(kLink));
    Time now = kNow + 100;
    agent.discovery.doubt(kLink, now);
    CHECK(agent.discovery.deadline() == now);
    bool silent_at_once = true;
    CHECK(asked_until_closed(agent, now, silent_at_once) == agent.config.hello_tries);
    CHECK_FALSE(silent_at_once);
    CHECK_FALSE(agent.discovery.met(kLink));
    CHECK(now.since(kNow) <= 100 + 1000 * agent.config.hello_tries);
  }
}

TEST_CASE("whatever comes dispels doubt") {
  Agent agent;
  REQUIRE(agent.discovery.opened(kLink, at(1), true, kNow) == Refusal::none);
  REQUIRE(agent.hello(kPeer, kNow) == Refusal::none);
  static_cast<void>(agent.polled(kNow));
  for (const bool by_frame : {false, true}) {
    agent.discovery.doubt(kLink, kNow);
    for (const std::uint32_t ms : {0U, 1000U, 2000U}) static_cast<void>(agent.polled(kNow + ms));
    CHECK(agent.discovery.silent(kLink));
    CHECK(agent.discovery.met(kLink));
    if (by_frame)
      agent.discovery.alive(kLink);
    else
      CHECK(agent.hello(kPeer, kNow + 2500, kLink, kAnswered) == Refusal::none);
    CHECK_FALSE(agent.discovery.silent(kLink));
    CHECK(Agent::count(agent.polled(kNow + 60'000), Kind::close) == 0);
  }
}

TEST_CASE("who is asked answers, once each time, over any transport; and answers are not answered") {
  for (const Transport transport : {Transport::tcp, Transport::udp}) {
    Agent agent;
    REQUIRE(agent.discovery.opened(kLink, at(1, transport), false, kNow) == Refusal::none);
    REQUIRE(agent.hello(kPeer, kNow, kLink, kAnswered) == Refusal::none);
    static_cast<void>(agent.polled(kNow));
    for (int time = 0; time < 300; ++time) {
      REQUIRE(agent.hello(kPeer, kNow) == Refusal::none);
      CHECK(Agent::count(agent.polled(kNow), Kind::send) == 1);
      Announcement said;
      REQUIRE(decode_hello(agent.kept.back(), said) == Refusal::none);
      CHECK(said.flags == kAnswered);
      REQUIRE(agent.hello(kPeer, kNow, kLink, kAnswered) == Refusal::none);
      CHECK(Agent::count(agent.polled(kNow), Kind::send) == 0);
    }
  }
}

TEST_CASE("doubt in a link that is not there, or has not met, changes nothing") {
  Agent agent;
  agent.discovery.doubt(kLink, kNow);
  agent.discovery.alive(kLink);
  CHECK_FALSE(agent.discovery.silent(kLink));
  REQUIRE(agent.discovery.opened(kLink, at(1), true, kNow) == Refusal::none);
  agent.discovery.doubt(kLink, kNow);
  CHECK(Agent::count(agent.polled(kNow), Kind::send) == 1);
  CHECK_FALSE(agent.discovery.silent(kLink));
}

}  // namespace
