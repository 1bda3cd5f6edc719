// An agent with privacy: what leaves it, what it costs, when it ends, and that no loss of power makes it forget.
#include "lossy_net.h"
#include "memory_store.h"
#include "scripted_peer.h"
#include "seeded_entropy.h"
#include "statistics.h"

#include <popsgd/privacy.h>

#include <cmath>
#include <cstring>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using popsgd::test::Device;
using popsgd::test::estimate;
using popsgd::test::kFiveSigma;
using popsgd::test::LossyNet;
using popsgd::test::MemoryStore;
using popsgd::test::ScriptedPeer;
using popsgd::test::SeededEntropy;

constexpr std::size_t kLength = 300;
constexpr PeerId kFirst{0};
constexpr PeerId kSecond{1};

AgentConfig config_of(std::uint64_t seed, Privacy* privacy) {
  AgentConfig config;
  config.seed = seed;
  config.fingerprint = 77;
  config.fresh = false;
  config.mean_wait = 0;
  config.guarding.gate = false;
  config.privacy = privacy;
  return config;
}

std::vector<float> constant(float value, std::size_t length = kLength) {
  return std::vector<float>(length, value);
}

Privacy::Settings unlimited() {
  return {.clip = 1000, .noise = 0.0005F, .epsilon = 1e9, .ahead = 0};  // a deviation of 0.5
}

void meet(LossyNet& net, PeerId peer = kSecond) {
  REQUIRE(net[0].agent.meet(peer, net.now) == Status::ok);
  net.run(net.now + 60'000, true);
  REQUIRE(net.quiet());
}

TEST_CASE(
    "an exchange of two private agents changes their sum by the noise alone, whole, in blocks or on a "
    "lattice") {
  for (const Averaging averaging : {Averaging::blocking, Averaging::non_blocking}) {
    for (const std::uint32_t block : {0U, 700U}) {
      for (const Width width : {Width::raw, Width::automatic}) {
        SeededEntropy entropy(1);
        Privacy first(unlimited(), entropy);
        Privacy second(unlimited(), entropy);
        LossyNet net(4, {.delay_ms = 2});
        for (Privacy* privacy : {&first, &second}) {
          AgentConfig config = config_of(privacy == &first ? 1 : 2, privacy);
          config.averaging = averaging;
          config.block_length = block;
          config.quantise.width = width;
          net.add(config, constant(privacy == &first ? 0 : 1, 3000));
        }
        net.connect();
        for (std::size_t k = 0; k < 2; ++k) {
          net[k].drift = 1;
          REQUIRE(net[k].agent.step().ok());
        }
        meet(net);
        std::vector<double> noise(3000);
        double apart = 0;
        for (std::size_t k = 0; k < noise.size(); ++k) {
          noise[k] = static_cast<double>(net[0].x[k]) + static_cast<double>(net[1].x[k]) - 3;
          apart = std::max(apart, std::fabs(static_cast<double>(net[0].x[k] - net[1].x[k])));
        }
        CHECK(apart < 1e-5);
        CHECK(estimate(noise).deviation(0) < kFiveSigma);
        for (double& square : noise) square *= square;
        CHECK(estimate(noise).deviation(0.5) < kFiveSigma);
        CHECK(first.releases() == (block == 0 ? 1 : 5));
        CHECK(first.epsilon() == doctest::Approx(accountant::epsilon_after(1, 0.0005, 1e-6)));
      }
    }
  }
}

// The floats of the STATE frames among these.
std::vector<float> shown_in(const std::vector<codec::Frame>& frames) {
  std::vector<float> floats;
  for (const codec::Frame& frame : frames) {
    if (frame.kind != codec::Kind::state) continue;
    const std::size_t count = frame.data.size() / sizeof(float);
    floats.resize(floats.size() + count);
    std::memcpy(floats.data() + floats.size() - count, frame.data.data(), frame.data.size());
  }
  return floats;
}

TEST_CASE("what leaves is the released block, the same however often it is sent, and once the model itself") {
  SeededEntropy entropy(2);
  Privacy privacy({.clip = 1, .noise = 1, .epsilon = 1e6, .ahead = 0}, entropy);
  ScriptedPeer peer(config_of(5, &privacy));
  peer.device.drift = 1;
  REQUIRE(peer.device.agent.step().ok());
  peer.begin_as_responder();
  const std::vector<float> shown = shown_in(peer.hear());
  REQUIRE(shown.size() == 150);
  CHECK(shown == peer.device.x);
  double mean = 0;
  for (const float x : shown) mean += static_cast<double>(x) / 150;
  CHECK(std::fabs(mean - 1 / std::sqrt(150.0)) < 5 / std::sqrt(150.0));  // clipped: not 1

  REQUIRE(peer.device.agent.step().ok());  // meanwhile
  peer.now = peer.now + 3'000;             // nothing was acknowledged
  std::vector<float> repeated = shown_in(peer.hear());
  REQUIRE(repeated.size() >= 50);
  repeated.resize(50);
  CHECK(std::equal(repeated.begin(), repeated.end(), shown.begin()));
  CHECK(privacy.epsilon() == doctest::Approx(accountant::epsilon_after(1, 1, 1e-6)));
  CHECK(privacy.releases() == 1);
}

TEST_CASE(
    "an exchange that is cut short has released; one after which nothing was learned releases nothing") {
  SeededEntropy entropy(3);
  Privacy privacy(unlimited(), entropy);
  ScriptedPeer peer(config_of(5, &privacy));
  peer.device.drift = 1;
  REQUIRE(peer.device.agent.step().ok());
  peer.begin_as_responder(2000);
  const std::vector<float> shown = shown_in(peer.hear());
  codec::Frame abort = peer.frame(codec::Kind::abort, 0);
  abort.data = {};
  abort.code = 2;
  peer.tell(abort);
  REQUIRE_FALSE(peer.device.agent.exchanging());
  CHECK(privacy.releases() == 1);
  peer.begin_as_responder(3000);
  CHECK(shown_in(peer.hear()) == shown);
  CHECK(privacy.releases() == 1);
}

TEST_CASE(
    "an agent whose budget is spent offers nothing and is busy for all, until it is all known what it "
    "knows") {
  SeededEntropy entropy(4);
  const double budget = accountant::epsilon_after(3, 10, 1e-6);
  Privacy privacy({.epsilon = budget, .ahead = 0}, entropy);
  LossyNet net(4, {.delay_ms = 2});
  net.add(config_of(1, &privacy), constant(0));
  net.add(config_of(2, nullptr), constant(1));
  net.connect();
  for (int k = 0; k < 3; ++k) {
    REQUIRE(net[0].agent.step().ok());
    meet(net);
  }
  CHECK(privacy.releases() == 3);
  CHECK(privacy.epsilon() == doctest::Approx(budget));
  CHECK(privacy.epsilon() <= budget * (1 + 1e-9));
  meet(net);  // it has learned nothing since
  CHECK(privacy.withheld() == 0);

  REQUIRE(net[0].agent.step().ok());
  const std::vector<float> before = net[0].x;
  CHECK(net[0].agent.meet(kSecond, net.now) == Status::budget_spent);
  CHECK(privacy.withheld() == 1);
  REQUIRE(net[1].agent.meet(kFirst, net.now) == Status::ok);
  net.run(net.now + 60'000, true);
  CHECK(privacy.withheld() == 2);
  CHECK(net[0].agent.metrics().begun == 4);
  CHECK(net[1].agent.metrics().completed == 4);
  CHECK(net[0].x == before);
  CHECK(privacy.releases() == 3);
}

TEST_CASE("an agent that draws partners itself draws none when its budget is spent") {
  SeededEntropy entropy(5);
  Privacy privacy({.epsilon = accountant::epsilon_after(2, 10, 1e-6), .ahead = 0}, entropy);
  LossyNet net(4, {.delay_ms = 2});
  AgentConfig config = config_of(1, &privacy);
  config.mean_wait = 100;
  config.local_steps = 1;
  net.add(config, constant(0));
  net.add(config_of(2, nullptr), constant(1));
  net.connect();
  net.run(net.now + 10'000);
  CHECK(net[0].agent.metrics().completed == 2);
  CHECK(net[0].agent.metrics().offers == 2);
  CHECK(privacy.withheld() > 10);
}

TEST_CASE(
    "partners are judged by what is shown: however far an agent has gone by itself, it refuses the same") {
  for (const bool with_privacy : {true, false}) {
    SeededEntropy entropy(6);
    Privacy privacy(unlimited(), entropy);
    LossyNet net(4, {.delay_ms = 50});
    for (std::uint64_t k = 1; k <= 2; ++k) {
      AgentConfig config = config_of(k, k == 1 && with_privacy ? &privacy : nullptr);
      config.quantise.width = Width::automatic;
      config.quantise.rotate = k == 1;
      net.add(config, constant(static_cast<float>(k)));
    }
    net.connect();
    meet(net);
    REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
    net.run(net.now + 130);  // snapshots are on their way
    REQUIRE(net[0].agent.exchanging());
    net[0].drift = 100'000'000;
    REQUIRE(net[0].agent.step().ok());
    net.run(net.now + 60'000, true);
    const auto refused = net[0].agent.metrics().refused[static_cast<std::size_t>(Refusal::out_of_range)] +
                         net[0].agent.metrics().refused[static_cast<std::size_t>(Refusal::too_far)];
    if (with_privacy) CHECK(refused == 0);
    if (with_privacy) CHECK(net[0].agent.metrics().completed == 2);
  }
}

TEST_CASE("an agent that takes its first partner's model over releases nothing; whoever gives it does") {
  SeededEntropy entropy(7);
  Privacy first(unlimited(), entropy);
  Privacy second(unlimited(), entropy);
  LossyNet net(4, {.delay_ms = 2});
  AgentConfig config = config_of(1, &first);
  config.fresh = true;
  net.add(config, constant(0));
  net.add(config_of(2, &second), constant(1));
  net.connect();
  REQUIRE(net[0].agent.step().ok());
  REQUIRE(net[1].agent.step().ok());
  meet(net);
  CHECK(first.releases() == 0);
  CHECK(second.releases() == 1);
  CHECK(net[0].x == net[1].x);
}

TEST_CASE(
    "models of integers are refused, and so are settings out of range; memory is taken only if it is on") {
  SeededEntropy entropy(8);
  Privacy privacy(unlimited(), entropy);
  const AgentConfig config = config_of(1, &privacy);
  CHECK(Device(config, Numeric::int16, {{kLength, 8}}, constant(0), Time(0)).status ==
        Status::private_integers);
  CHECK(Device(config, Numeric::int8, {{kLength, 4}}, constant(0), Time(0)).status ==
        Status::private_integers);
  CHECK(Agent::workspace_size(config, kLength) ==
        Agent::workspace_size(config_of(1, nullptr), kLength) + 4 * kLength + 8);
  Privacy wrong({.noise = -1}, entropy);
  CHECK(Device(config_of(1, &wrong), constant(0), Time(0)).status == Status::invalid_rate);
  CHECK(Agent::workspace_size(config_of(1, &wrong), kLength) == 0);
}

// --- restarts

MemoryStore store_for(const AgentConfig& config) {
  return MemoryStore(static_cast<std::size_t>(Agent::checkpoint_size(config, kLength)));
}

Privacy::Settings four_ahead() {
  return {.epsilon = accountant::epsilon_after(100, 10, 1e-6), .ahead = 4};
}

TEST_CASE("an agent meets nobody before a checkpoint is durable; one that is staged is not") {
  SeededEntropy entropy(9);
  Privacy privacy(four_ahead(), entropy);
  LossyNet net(4, {.delay_ms = 2});
  const AgentConfig config = config_of(1, &privacy);
  net.add(config, constant(0));
  net.add(config_of(2, nullptr), constant(1));
  net.connect();
  MemoryStore store = store_for(config);
  CHECK(net[0].agent.meet(kSecond, net.now) == Status::budget_spent);
  REQUIRE(net[0].agent.stage(store) == Status::ok);
  CHECK(net[0].agent.meet(kSecond, net.now) == Status::budget_spent);
  net[0].agent.saved();
  meet(net);
  for (int k = 1; k < 4; ++k) {
    REQUIRE(net[0].agent.step().ok());
    meet(net);
  }
  REQUIRE(net[0].agent.step().ok());
  CHECK(net[0].agent.meet(kSecond, net.now) == Status::budget_spent);
  store.fail_at(3);
  CHECK(net[0].agent.save(store) == Status::store_failed);
  CHECK(net[0].agent.meet(kSecond, net.now) == Status::budget_spent);
  REQUIRE(net[0].agent.save(store) == Status::ok);
  meet(net);
}

// Two saves with releases before, between and after them; power fails at the k-th change of the store. Returns whether it
// did not: k is beyond the last.
bool survives_cut(std::size_t k, std::uint64_t seed) {
  SeededEntropy entropy(seed);
  Privacy privacy(four_ahead(), entropy);
  LossyNet net(4, {.delay_ms = 2});
  const AgentConfig config = config_of(1, &privacy);
  net.add(config, constant(0));
  net.add(config_of(2, nullptr), constant(1));
  net.connect();
  MemoryStore store = store_for(config);
  store.cut_at(k, seed % 2 == 0 ? 0 : 77);
  bool whole = true;
  for (int saves = 0; saves < 3 && whole; ++saves) {
    whole = net[0].agent.save(store) == Status::ok;
    for (int meetings = 0; meetings < 6; ++meetings) {
      REQUIRE(net[0].agent.step().ok());
      if (net[0].agent.meet(kSecond, net.now) == Status::ok) net.run(net.now + 60'000, true);
    }
  }
  const double spent = privacy.epsilon();
  Random fate(seed, Purpose::user, 3);
  store.restart_power(fate);

  Privacy after(four_ahead(), entropy);
  Device& again = net.restart(0, config_of(3, &after), constant(0));
  const Status status = again.agent.restore(store, net.now);
  // Never less than what was told; and nothing more before it is paid for.
  if (status == Status::ok) CHECK(after.epsilon() >= spent * (1 - 1e-9));
  if (status == Status::no_checkpoint) CHECK(spent == 0);
  CHECK(again.agent.meet(kSecond, net.now) == Status::budget_spent);
  if (status != Status::ok && status != Status::no_checkpoint) {
    CHECK(spent == 0);  // the very first checkpoint was cut
    CHECK(after.closed());
  } else {
    REQUIRE(again.agent.save(store) == Status::ok);
    CHECK(again.agent.meet(kSecond, net.now) == Status::ok);
  }
  return whole;
}

TEST_CASE("a cut of power at any operation of the store makes no agent forget a release") {
  std::size_t cuts = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed)
    for (cuts = 0; !survives_cut(cuts, seed); ++cuts) {
    }
  CHECK(cuts > 20);
}

TEST_CASE("after a restart the model and what is shown of it are what they were") {
  SeededEntropy entropy(10);
  const Privacy::Settings settings{.clip = 0.1F, .noise = 1e-4F, .epsilon = 1e9, .ahead = 1};
  AgentConfig config = config_of(1, nullptr);
  Privacy before(settings, entropy);
  config.privacy = &before;
  Device device(config, constant(2), Time(0));
  device.drift = 1;
  REQUIRE(device.agent.step().ok());
  MemoryStore store = store_for(config);
  REQUIRE(device.agent.save(store) == Status::ok);

  Privacy after(settings, entropy);
  config.privacy = &after;
  LossyNet net(4, {.delay_ms = 2});
  net.add(config, constant(99));
  net.add(config_of(2, nullptr), constant(2));
  net.connect();
  REQUIRE(net[0].agent.restore(store, net.now) == Status::ok);
  CHECK(net[0].x == constant(3));
  REQUIRE(net[0].agent.save(store) == Status::ok);
  meet(net);
  // The step of 1 that was not released leaves clipped, from 2; half of it is the partner's.
  for (const float x : net[0].x)
    CHECK(x == doctest::Approx(2 + 0.05 / std::sqrt(static_cast<double>(kLength))).epsilon(1e-4));
}

TEST_CASE(
    "a checkpoint without an account is refused, and its agent meets nobody; without privacy any is taken") {
  SeededEntropy entropy(11);
  Privacy privacy(four_ahead(), entropy);
  const AgentConfig open = config_of(1, nullptr);
  const AgentConfig closed = config_of(1, &privacy);
  AgentConfig other = closed;
  other.block_length = 100;
  MemoryStore store(16384);
  const auto saved_by = [&](const AgentConfig& config) {
    Device device(config, constant(7), Time(0));
    REQUIRE(device.agent.save(store) == Status::ok);
  };
  const auto restored_by = [&](AgentConfig config) {
    Privacy fresh(four_ahead(), entropy);
    if (config.privacy != nullptr) config.privacy = &fresh;
    LossyNet net(4, {.delay_ms = 2});
    Device& device = net.add(config, constant(0));
    net.add(config_of(2, nullptr), constant(1));
    net.connect();
    const Status status = device.agent.restore(store, net.now);
    if (status == Status::ok) CHECK(device.x == constant(7));
    if (config.privacy == nullptr) return status;
    MemoryStore elsewhere(16384);
    REQUIRE(device.agent.save(elsewhere) == Status::ok);
    CHECK((device.agent.meet(kSecond, net.now) == Status::ok) == (status == Status::ok));
    return status;
  };
  saved_by(open);
  CHECK(restored_by(closed) == Status::checkpoint_unaccounted);
  CHECK(restored_by(open) == Status::ok);
  saved_by(closed);
  CHECK(restored_by(closed) == Status::ok);
  CHECK(restored_by(other) == Status::checkpoint_unaccounted);
  CHECK(restored_by(open) == Status::ok);
  AgentConfig foreign = closed;
  foreign.fingerprint = 78;
  CHECK(restored_by(foreign) == Status::checkpoint_foreign);
}

}  // namespace
