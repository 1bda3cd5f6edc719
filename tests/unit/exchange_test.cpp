#include "lossy_net.h"

#include <popsgd/agent.h>
#include <popsgd/random.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using popsgd::test::Device;
using popsgd::test::Faults;
using popsgd::test::LossyNet;

constexpr PeerId kFirst{0};
constexpr PeerId kSecond{1};

std::vector<float> normals(std::size_t count, std::uint32_t stream) {
  Random random(3, Purpose::user, stream);
  std::vector<float> values(count);
  for (float& value : values) value = random.normal();
  return values;
}

AgentConfig config_of(std::uint64_t seed) {
  AgentConfig config;
  config.seed = seed;
  config.fingerprint = 77;
  config.fresh = false;
  config.mean_wait = 0;
  config.guarding.gate = false;
  return config;
}

double total(const std::vector<float>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0);
}

TEST_CASE("two agents that meet end at the average of their models, whole or in blocks, and say so") {
  for (const Averaging averaging : {Averaging::blocking, Averaging::non_blocking}) {
    for (const std::uint32_t block : {0U, 1U, 100U, 999U, 1000U, 5000U}) {
      CAPTURE(block);
      LossyNet net(1, {});
      AgentConfig config = config_of(1);
      config.averaging = averaging;
      config.block_length = block;
      const auto a = normals(1000, 1);
      const auto b = normals(1000, 2);
      net.add(config, a);
      config.seed = 2;
      net.add(config, b);
      net.connect();
      REQUIRE(net[0].status == Status::ok);
      REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
      CHECK(net[0].agent.meet(kSecond, net.now) == Status::busy);
      net.run(net.now + 60'000, true);
      REQUIRE(net.quiet());
      bool right = true;
      for (std::size_t k = 0; k < a.size(); ++k) {
        const float mean = (a[k] + b[k]) * 0.5F;
        right &= averaging == Averaging::blocking
                     ? net[0].x[k] == mean && net[1].x[k] == mean
                     : std::fabs(net[0].x[k] - mean) <= 1e-6F && std::fabs(net[1].x[k] - mean) <= 1e-6F;
      }
      CHECK(right);
      const std::uint64_t blocks =
          block == 0 ? 1 : (1000 + std::min(block, 1000U) - 1) / std::min(block, 1000U);
      for (std::size_t k = 0; k < 2; ++k) {
        const AgentMetrics& metrics = net[k].agent.metrics();
        CHECK(metrics.completed == 1);
        CHECK(metrics.cut_short == 0);
        CHECK(metrics.blocks_applied == blocks);
        CHECK(metrics.retransmissions == 0);
        CHECK(metrics.in_doubt == 0);
      }
    }
  }
}

TEST_CASE("the observer is told of every block once a side, under one name, and of the last as the last") {
  std::array<std::vector<Applied>, 2> told;
  LossyNet net(1, {});
  for (std::uint32_t k = 0; k < 2; ++k) {
    AgentConfig config = config_of(k + 1);
    config.block_length = 300;
    config.observer = {[](void* context, const Applied& applied) noexcept {
                         static_cast<std::vector<Applied>*>(context)->push_back(applied);
                       },
                       &told[k]};
    net.add(config, normals(1000, k));
  }
  net.connect();
  REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
  net.run(net.now + 60'000, true);
  for (std::size_t side = 0; side < 2; ++side) {
    REQUIRE(told[side].size() == 4);
    unsigned blocks = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const Applied& applied = told[side][k];
      CHECK(applied.exchange == told[0][0].exchange);
      CHECK(applied.block == told[0][k].block);
      CHECK(applied.initiator == (side == 0));
      CHECK(applied.last == (k == 3));
      blocks |= 1U << applied.block;
    }
    CHECK(blocks == 0xFU);
  }
}

TEST_CASE("agents with blocks of different lengths and frames of different sizes agree on the smaller ones") {
  LossyNet net(1, {});
  AgentConfig config = config_of(1);
  config.block_length = 300;
  config.window = 3;
  const auto a = normals(1000, 1);
  const auto b = normals(1000, 2);
  net.add(config, a);
  config = config_of(2);
  config.largest_frame = 400;
  config.block_length = 128;
  net.add(config, b);
  net.connect();
  for (const PeerId from : {kFirst, kSecond}) {
    const PeerId to = from == kFirst ? kSecond : kFirst;
    REQUIRE(net[static_cast<std::size_t>(from)].agent.meet(to, net.now) == Status::ok);
    net.run(net.now + 60'000, true);
    REQUIRE(net.quiet());
  }
  CHECK(net[0].agent.metrics().completed == 2);
  CHECK(net[0].agent.metrics().blocks_applied == 16);
  CHECK(total(net[0].x) == doctest::Approx((total(a) + total(b)) / 2).epsilon(1e-6));
}

TEST_CASE(
    "an agent that has learned nothing takes its first partner's model over, and its partner keeps it") {
  for (const bool first_fresh : {true, false}) {
    LossyNet net(1, {});
    AgentConfig config = config_of(1);
    config.fresh = first_fresh;
    config.guarding.gate = true;
    const auto a = normals(500, 1);
    const auto b = normals(500, 2);
    net.add(config, a);
    config = config_of(2);
    config.fresh = !first_fresh;
    config.guarding.gate = true;
    net.add(config, b);
    net.connect();
    REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
    net.run(net.now + 60'000, true);
    const auto& kept = first_fresh ? b : a;
    for (std::size_t k = 0; k < kept.size(); ++k) {
      REQUIRE(net[first_fresh ? 1 : 0].x[k] == kept[k]);
      REQUIRE(net[first_fresh ? 0 : 1].x[k] == doctest::Approx(kept[k]).epsilon(1e-5));
    }
    CHECK_FALSE(net[0].agent.fresh());
    CHECK_FALSE(net[1].agent.fresh());
  }
}

TEST_CASE("two offers that cross become one exchange, also when frames are lost") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    LossyNet net(seed, {.lose = seed % 2 == 0 ? 0.3F : 0.0F, .delay_ms = 5});
    net.add(config_of(seed), normals(100, 1));
    net.add(config_of(seed + 1000), normals(100, 2));
    net.connect();
    REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
    REQUIRE(net[1].agent.meet(kFirst, net.now) == Status::ok);
    net.run(net.now + 200'000, true);
    REQUIRE(net.quiet());
    CHECK(net[0].agent.metrics().begun <= 1);
    CHECK(net[0].agent.metrics().completed == net[1].agent.metrics().completed);
    if (seed % 2 != 0) CHECK(net[0].agent.metrics().completed == 1);
  }
}

TEST_CASE("whoever is busy says so at once: a circle of offers does not deadlock") {
  LossyNet net(1, {.delay_ms = 5});
  for (std::uint64_t k = 0; k < 3; ++k)
    net.add(config_of(k + 1), normals(100, static_cast<std::uint32_t>(k)));
  net.connect();
  for (std::uint32_t k = 0; k < 3; ++k)
    REQUIRE(net[k].agent.meet(PeerId{(k + 1) % 3}, net.now) == Status::ok);
  net.run(net.now + 100, true);
  CHECK(net.quiet());  // long before any offer times out
}

TEST_CASE("an agent of another swarm, model or length is refused before any block moves") {
  for (const int difference : {0, 1}) {
    LossyNet net(1, {});
    net.add(config_of(1), normals(100, 1));
    AgentConfig config = config_of(2);
    if (difference == 0) config.fingerprint = 78;
    const auto b = normals(difference == 1 ? 101 : 100, 2);
    net.add(config, b);
    net.connect();
    REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
    net.run(net.now + 60'000, true);
    CHECK(net.quiet());
    CHECK(net[1].x == b);
    CHECK(net[0].agent.metrics().begun == 0);
    CHECK(net[1].agent.metrics().dropped[static_cast<std::size_t>(Drop::incompatible)] == 1);
  }
}

TEST_CASE("a hostile block is refused on both sides, and counted by its reason") {
  struct Case {
    float value;
    Refusal reason;
  };
  for (const auto& [value, reason] : {Case{std::nanf(""), Refusal::not_finite},
                                      Case{1e9F, Refusal::out_of_range}, Case{1000, Refusal::too_far}}) {
    for (const bool hostile_offers : {true, false}) {
      LossyNet net(1, {});
      AgentConfig config = config_of(1);
      config.guarding.gate = true;
      const auto honest = normals(100, 1);
      net.add(config, honest);
      config.seed = 2;
      config.guarding = {.limit = std::numeric_limits<float>::infinity(), .gate = false};
      net.add(config, honest);
      net.connect();
      for (int k = 0; k < 3; ++k) {  // the gate learns what is usual
        for (float& x : net[1].x) x += 0.01F;
        REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
        net.run(net.now + 60'000, true);
      }
      const auto before = net[0].x;
      net[1].x.assign(100, value);
      REQUIRE(net[hostile_offers ? 1 : 0].agent.meet(hostile_offers ? kFirst : kSecond, net.now) ==
              Status::ok);
      net.run(net.now + 60'000, true);
      CHECK(net.quiet());
      CHECK(net[0].x == before);
      CHECK(net[0].agent.metrics().refused[static_cast<std::size_t>(reason)] == 1);
      CHECK(net[0].agent.metrics().completed == 3);
      CHECK(net[1].agent.metrics().completed == 3);
    }
  }
}

TEST_CASE(
    "an agent refused three times in a row moves alone towards those who refuse it, until they take it "
    "back") {
  LossyNet net(1, {});
  for (std::uint32_t k = 0; k < 3; ++k) {
    AgentConfig config = config_of(k + 1);
    config.guarding.gate = true;
    net.add(config, std::vector<float>(100, 0.01F * static_cast<float>(k)));
  }
  net.connect();
  const auto meet = [&net](std::size_t from, PeerId to) {
    REQUIRE(net[from].agent.meet(to, net.now) == Status::ok);
    net.run(net.now + 60'000, true);
  };
  for (int k = 0; k < 4; ++k) {  // two that are used to being close
    meet(1, PeerId{2});
    for (float& x : net[2].x) x += 0.01F;
  }
  net[0].x.assign(100, 8);
  const auto crowd = std::pair(net[1].x, net[2].x);
  meet(0, PeerId{1});
  meet(0, PeerId{2});
  meet(0, PeerId{1});
  CHECK(net[0].x[0] == 8);
  CHECK(net[0].agent.metrics().completed == 0);
  meet(0, PeerId{1});
  CHECK(net[0].x[0] == doctest::Approx((8 + crowd.first[0]) / 2));
  CHECK(std::pair(net[1].x, net[2].x) == crowd);
  CHECK(net[0].agent.metrics().completed == 1);
  for (int k = 0; k < 20; ++k) {
    meet(0, PeerId{1});
    meet(1, PeerId{2});
    meet(2, PeerId{0});
  }
  for (std::size_t k = 0; k < 3; ++k) CHECK(net[k].x[0] == doctest::Approx(net[0].x[0]).epsilon(0.01));
  CHECK(net[0].x[0] < 1);  // it has come to them
}

// What must hold after every event, whatever the links do.
void check_invariants(LossyNet& net) {
  for (std::size_t k = 0; k < net.size(); ++k) {
    const Time due = net[k].agent.deadline(net.now);
    REQUIRE(due.since(net.now) <= 24 * 3600 * 1000);  // nobody waits for ever
    const AgentMetrics& metrics = net[k].agent.metrics();
    REQUIRE(metrics.begun - metrics.completed - metrics.cut_short <= 1);  // one exchange at a time
  }
}

TEST_CASE(
    "whatever is lost, doubled, reordered, cut or flipped, each block is applied on both sides or on "
    "neither") {
  std::uint64_t exchanges = 0;
  std::uint64_t in_doubt = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Random random(seed, Purpose::user, 9);
    const Faults faults{.lose = 0.5F * random.uniform(),
                        .twice = 0.2F * random.uniform(),
                        .corrupt = 0.1F * random.uniform(),
                        .truncate = 0.1F * random.uniform(),
                        .delay_ms = 1 + random.bits() % 50,
                        .jitter_ms = random.bits() % 100};
    LossyNet net(seed, faults);
    const std::size_t devices = 2 + random.bits() % 3;
    double before = 0;
    for (std::size_t k = 0; k < devices; ++k) {
      AgentConfig config = config_of(100 * seed + k);
      config.mean_wait = 300;
      config.block_length = 50 + random.bits() % 400;
      config.averaging = Averaging::non_blocking;
      auto model = normals(600, static_cast<std::uint32_t>(k));
      before += total(model);
      net.add(config, model);
    }
    net.connect();
    net.watch = [&net] { check_invariants(net); };
    net.run(net.now + 60'000);
    net.faults() = {.delay_ms = 5};  // the weather clears: what is open comes to its end
    net.run(net.now + 200'000, true);

    std::uint64_t applied = 0;
    std::uint64_t doubts = 0;
    double after = 0;
    for (std::size_t k = 0; k < devices; ++k) {
      applied += net[k].agent.metrics().blocks_applied;
      doubts += net[k].agent.metrics().in_doubt;
      exchanges += net[k].agent.metrics().completed;
      after += total(net[k].x);
    }
    in_doubt += doubts;
    CHECK(net.delivered > 20);
    if (doubts == 0) {
      CHECK(applied % 2 == 0);
      CHECK(after == doctest::Approx(before).epsilon(1e-4));
    }
  }
  MESSAGE(exchanges << " exchanges ended in full, " << in_doubt << " blocks in doubt");
  CHECK(exchanges > 1000);
  CHECK(in_doubt < 10);
}

TEST_CASE(
    "with a tenth of all frames lost at most one exchange in 10,000 is left in doubt; with half of them all "
    "end") {
  struct Case {
    float lose;
    std::uint64_t exchanges;
    double doubts;  // a share of the exchanges, at most
  };
  for (const Case& weather : {Case{0.1F, 10'000, 1e-4}, Case{0.5F, 1'000, 0.002}}) {
    LossyNet net(5, {.lose = weather.lose, .delay_ms = 5, .jitter_ms = 5});
    for (std::uint32_t k = 0; k < 6; ++k) {
      AgentConfig config = config_of(k + 1);
      config.mean_wait = 200;
      config.finished = 200;  // busy agents in bad weather: a partner may ask long after
      net.add(config, normals(500, k));
    }
    net.connect();
    std::uint64_t completed = 0;
    std::uint64_t in_doubt = 0;
    const auto count = [&] {
      completed = in_doubt = 0;
      for (std::size_t k = 0; k < net.size(); ++k) {
        completed += net[k].agent.metrics().completed;
        in_doubt += net[k].agent.metrics().in_doubt;
      }
      return completed / 2 < weather.exchanges;
    };
    std::vector<Time> since(net.size(), net.now);  // each agent's last exchange began
    std::vector<std::uint64_t> begun(net.size());
    net.watch = [&] {
      for (std::size_t k = 0; k < net.size(); ++k) {
        if (!net[k].agent.exchanging() || net[k].agent.metrics().begun != begun[k]) since[k] = net.now;
        begun[k] = net[k].agent.metrics().begun;
        REQUIRE(net.now.since(since[k]) < 90'000);  // it ends, one way or the other
      }
    };
    while (count()) net.run(net.now + 60'000);
    MESSAGE(weather.lose << " lost: " << completed / 2 << " exchanges, " << in_doubt << " in doubt");
    CHECK(static_cast<double>(in_doubt) <= weather.doubts * static_cast<double>(completed) / 2);
  }
}

TEST_CASE("an exchange that crawls in one direction goes on for as long as it gets anywhere") {
  for (const PeerId slow : {kFirst, kSecond}) {
    LossyNet net(4, {.delay_ms = 100});
    net.add(config_of(1), normals(40'000, 1));
    net.add(config_of(2), normals(40'000, 2));
    net.connect();
    Random random(8, Purpose::user);
    net.lose_if = [&](PeerId from) { return from == slow && random.uniform() < 0.35F; };
    const Time start = net.now;
    REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
    net.run(net.now + 3'600'000, true);
    CHECK(net.now.since(start) > 2 * static_cast<std::int32_t>(AgentConfig{}.timing.idle));
    for (std::size_t k = 0; k < 2; ++k) CHECK(net[k].agent.metrics().completed == 1);
    const AgentMetrics& metrics = net[static_cast<std::size_t>(slow)].agent.metrics();
    CHECK(metrics.retransmissions < metrics.frames_sent);
    CHECK(metrics.retransmissions > 50);
  }
}

TEST_CASE("what is counted as sent again is no more than what was sent, however many exchanges there are") {
  LossyNet net(4, {.lose = 0.2F, .delay_ms = 5});
  net.add(config_of(1), normals(2'000, 1));
  net.add(config_of(2), normals(2'000, 2));
  net.connect();
  for (int k = 0; k < 50; ++k) {
    static_cast<void>(net[0].agent.meet(kSecond, net.now));
    net.run(net.now + 200'000, true);
  }
  CHECK(net[0].agent.metrics().completed > 40);
  CHECK(net[0].agent.metrics().retransmissions < net[0].agent.metrics().frames_sent / 2);
}

TEST_CASE("a lost COMMIT is repeated to whoever asks, also when the initiator is in another exchange") {
  LossyNet net(4, {.delay_ms = 2});
  for (std::uint32_t k = 0; k < 3; ++k) net.add(config_of(k + 1), normals(200, k));
  net.connect();
  REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
  net.lose_if = [&net](PeerId from) { return from == kFirst && net[0].agent.metrics().blocks_applied == 1; };
  net.run(net.now + 5'000);
  REQUIRE(net[0].agent.metrics().blocks_applied == 1);
  REQUIRE(net[1].agent.metrics().blocks_applied == 0);
  REQUIRE_FALSE(net[0].agent.exchanging());
  REQUIRE(net[1].agent.exchanging());
  net.lose_if = {};
  REQUIRE(net[0].agent.meet(PeerId{2}, net.now) == Status::ok);
  net.run(net.now + 20'000, true);
  CHECK(net.quiet());
  CHECK(net[1].agent.metrics().blocks_applied == 1);
  CHECK(net[1].agent.metrics().in_doubt == 0);
  CHECK(net[1].agent.metrics().completed == 1);
}

TEST_CASE("a responder that has staged its half and hears nothing for long drops it, and counts that") {
  LossyNet net(4, {.delay_ms = 2});
  net.add(config_of(1), normals(200, 1));
  const auto b = normals(200, 2);
  net.add(config_of(2), b);
  net.connect();
  REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
  net.lose_if = [&net](PeerId from) { return from == kFirst && net[0].agent.metrics().blocks_applied == 1; };
  net.run(net.now + 100'000);
  CHECK(net[0].agent.metrics().blocks_applied == 1);
  CHECK(net[1].agent.metrics().in_doubt == 1);
  CHECK(net[1].x == b);
  CHECK_FALSE(net[1].agent.exchanging());
}

TEST_CASE(
    "a link that closes ends the exchange over it at once, wherever it is, and leaves no other than a link "
    "that is silent") {
  std::uint64_t offered = 0, moved = 0, doubted = 0, done = 0;
  for (std::uint32_t cut = 0; cut < 12; ++cut) {
    CAPTURE(cut);
    LossyNet net(4, {.delay_ms = 1});
    const auto a = normals(200, 1);
    const auto b = normals(200, 2);
    net.add(config_of(1), a);
    net.add(config_of(2), b);
    net.connect();
    REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
    net.run(net.now + cut);
    const bool open = net[0].agent.exchanging() || net[1].agent.exchanging();
    net[0].agent.lost_peer(PeerId{7}, net.now);  // somebody else
    CHECK((net[0].agent.exchanging() || net[1].agent.exchanging()) == open);
    net[0].agent.lost_peer(kSecond, net.now);
    net[1].agent.lost_peer(kFirst, net.now);
    CHECK_FALSE(net[0].agent.exchanging());
    CHECK_FALSE(net[1].agent.exchanging());
    CHECK(net[0].agent.meet(kSecond, net.now) == Status::unknown_peer);
    const AgentMetrics& initiator = net[0].agent.metrics();
    const AgentMetrics& responder = net[1].agent.metrics();
    CHECK(responder.blocks_applied <= initiator.blocks_applied);
    CHECK(initiator.in_doubt == 0);
    if (initiator.blocks_applied != responder.blocks_applied) CHECK(responder.in_doubt == 1);
    CHECK((net[0].x == a) == (initiator.blocks_applied == 0));
    CHECK((net[1].x == b) == (responder.blocks_applied == 0));
    offered += responder.completed + responder.cut_short == 0 ? 1 : 0;
    moved += responder.cut_short - responder.in_doubt;
    doubted += responder.in_doubt;
    done += responder.completed;
  }
  CHECK(offered > 0);
  CHECK(moved > 0);
  CHECK(doubted > 0);
  CHECK(done > 0);
}

TEST_CASE(
    "the counters meet at their mean, the sum exact, and a mad one is believed no further than the bound") {
  LossyNet net(1, {});
  net.add(config_of(1), normals(10, 1));
  net.add(config_of(2), normals(10, 2));
  net.connect();
  for (int k = 0; k < 7; ++k) REQUIRE(net[0].agent.step().ok());
  REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
  net.run(net.now + 60'000, true);
  CHECK(net[0].agent.counter().steps() == 3.5);
  CHECK(net[1].agent.counter().steps() == 3.5);
  for (int k = 0; k < 10'000; ++k) REQUIRE(net[0].agent.step().ok());
  REQUIRE(net[1].agent.meet(kFirst, net.now) == Status::ok);
  net.run(net.now + 60'000, true);
  CHECK(net[1].agent.counter().steps() == 3.5 + 32);  // half of a gap of 64
}

TEST_CASE("1 MB crosses a link of 1200-byte frames for at most 1.06 times its bytes, and a stream for 1.01") {
  constexpr std::size_t kParameters = 262'144;
  struct Case {
    std::uint16_t mtu;
    bool reliable;
    double most;
  };
  for (const auto& [mtu, reliable, most] : {Case{1200, false, 1.06}, Case{16'384, true, 1.01}}) {
    LossyNet net(1, {.delay_ms = 10});
    for (std::uint32_t k = 0; k < 2; ++k) {
      AgentConfig config = config_of(k + 1);
      config.window = 32;
      config.largest_frame = 16'384;
      net.add(config, normals(kParameters, k));
    }
    net.connect({.mtu = mtu, .reliable = reliable});
    REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
    net.run(net.now + 600'000, true);
    for (std::size_t k = 0; k < 2; ++k) {
      const AgentMetrics& metrics = net[k].agent.metrics();
      const double ratio = static_cast<double>(metrics.bytes_sent) / (4.0 * kParameters);
      MESSAGE(std::string(reliable ? "stream" : "1200-byte frames")
              << ": " << ratio << " x the model's bytes");
      CHECK(metrics.completed == 1);
      CHECK(ratio <= most);
      CHECK(metrics.retransmissions == 0);
    }
  }
}

TEST_CASE("beyond its model an agent with blocks of 4 kB takes less than 12 kB") {
  for (const std::uint32_t block : {256U, 1024U, 4096U}) {
    AgentConfig config;
    config.block_length = block;
    const std::size_t bytes = Agent::workspace_size(config, 50'890);
    MESSAGE("blocks of " << 4 * block << " bytes, a model of 203,560: " << bytes << " bytes");
    if (block == 1024) CHECK(bytes < 12 * 1024);
  }
}

TEST_CASE("peers come and go within the room there is") {
  AgentConfig config = config_of(1);
  config.peers = 2;
  Device device(config, std::vector<float>(10), Time(0));
  CHECK(device.agent.add_peer(PeerId{5}, {}) == Status::ok);
  CHECK(device.agent.add_peer(PeerId{6}, {}) == Status::ok);
  CHECK(device.agent.add_peer(PeerId{5}, {.mtu = 300}) == Status::ok);
  CHECK(device.agent.add_peer(PeerId{7}, {}) == Status::no_room);
  CHECK(device.agent.add_peer(PeerId{7}, {.mtu = 100}) == Status::invalid_size);
  device.agent.remove_peer(PeerId{5});
  device.agent.remove_peer(PeerId{55});
  CHECK(device.agent.meet(PeerId{5}, Time(0)) == Status::unknown_peer);
  CHECK(device.agent.add_peer(PeerId{7}, {}) == Status::ok);
}

}  // namespace
