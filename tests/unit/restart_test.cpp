// Power fails and comes back: an agent goes on from its checkpoint, and its partners are told the truth.
#include "lossy_net.h"
#include "memory_store.h"

#include <popsgd/agent.h>
#include <popsgd/checkpoint.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using popsgd::test::Device;
using popsgd::test::LossyNet;
using popsgd::test::MemoryStore;

constexpr PeerId kFirst{0};
constexpr PeerId kSecond{1};

std::vector<float> constant(float value) {
  return std::vector<float>(300, value);
}

AgentConfig config_of(std::uint64_t seed) {
  AgentConfig config;
  config.seed = seed;
  config.fingerprint = 77;
  config.fresh = false;
  config.mean_wait = 0;
  config.block_length = 100;
  config.guarding.gate = false;
  return config;
}

MemoryStore store_for(const AgentConfig& config) {
  return MemoryStore(static_cast<std::size_t>(Agent::checkpoint_size(config, 300)));
}

// Two agents, at 0 and at 1; every COMMIT of the last block and all that follows from the first is lost.
struct Interrupted {
  Interrupted() : net(4, {.delay_ms = 2}) {
    net.add(config_of(1), constant(0));
    net.add(config_of(2), constant(1));
    net.connect();
    REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
    net.lose_if = [this](PeerId from) {
      return from == kFirst && net[0].agent.metrics().blocks_applied == 3;
    };
  }
  LossyNet net;
};

TEST_CASE("an initiator that restarts from a checkpoint made after its decision still says COMMIT") {
  Interrupted at;
  at.net.run(at.net.now + 5'000);
  REQUIRE(at.net[0].agent.metrics().completed == 1);
  REQUIRE(at.net[1].agent.metrics().blocks_applied == 2);
  MemoryStore store = store_for(config_of(1));
  REQUIRE(at.net[0].agent.save(store) == Status::ok);

  at.net.lose_if = {};
  Device& again = at.net.restart(0, config_of(3), constant(99));
  REQUIRE(again.agent.restore(store, at.net.now) == Status::ok);
  CHECK(again.x == constant(0.5F));
  at.net.run(at.net.now + 60'000, true);
  CHECK(at.net[1].x == constant(0.5F));
  CHECK(at.net[1].agent.metrics().completed == 1);
  CHECK(at.net[1].agent.metrics().in_doubt == 0);
}

TEST_CASE(
    "an initiator that restarts from a checkpoint made before its decision says so; its partner drops its "
    "half") {
  Interrupted at;
  MemoryStore store = store_for(config_of(1));
  REQUIRE(at.net[0].agent.save(store) == Status::ok);
  at.net.run(at.net.now + 5'000);
  REQUIRE(at.net[0].agent.metrics().completed == 1);

  at.net.lose_if = {};
  Device& again = at.net.restart(0, config_of(3), constant(99));
  REQUIRE(again.agent.restore(store, at.net.now) == Status::ok);
  CHECK(again.x == constant(0));
  at.net.run(at.net.now + 60'000, true);
  CHECK(at.net.quiet());
  CHECK(at.net[1].agent.metrics().blocks_applied == 2);
  CHECK(at.net[1].agent.metrics().in_doubt == 1);
}

TEST_CASE(
    "a responder that restarts does not apply again what its checkpoint holds, whatever still arrives") {
  LossyNet net(4, {.twice = 0.5F, .delay_ms = 2, .jitter_ms = 20});
  net.add(config_of(1), constant(0));
  net.add(config_of(2), constant(1));
  net.connect();
  MemoryStore store = store_for(config_of(2));
  REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
  net.watch = [&] {  // power fails as soon as its last block is saved
    if (net[1].agent.metrics().completed != 1) return;
    net.watch = {};
    REQUIRE(net[1].agent.save(store) == Status::ok);
    REQUIRE(net.restart(1, config_of(3), constant(99)).agent.restore(store, net.now) == Status::ok);
  };
  net.run(net.now + 60'000);
  CHECK(net.quiet());
  CHECK(net[0].x == constant(0.5F));
  CHECK(net[1].x == constant(0.5F));
  CHECK(net[1].agent.metrics().blocks_applied == 0);
}

TEST_CASE("after a restart counter, steps, gate and experience are what they were") {
  AgentConfig config = config_of(1);
  config.guarding.gate = true;
  LossyNet net(4, {.delay_ms = 2});
  net.add(config, constant(0));
  AgentConfig other = config_of(2);
  other.fresh = true;  // the first one stays where it is
  net.add(other, constant(1));
  net.connect();
  for (int k = 0; k < 5; ++k) REQUIRE(net[0].agent.step().ok());
  for (int k = 0; k < 4; ++k) {  // the gate learns that partners are this close
    REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
    net.run(net.now + 60'000, true);
    for (float& x : net[1].x) x += 0.001F;
  }
  const StepCounter counter = net[0].agent.counter();
  const std::vector<float> model = net[0].x;
  MemoryStore store = store_for(config);
  REQUIRE(net[0].agent.save(store) == Status::ok);

  for (const bool restored : {true, false}) {
    config.seed += 10;
    Device& again = net.restart(0, config, model);
    if (restored) REQUIRE(again.agent.restore(store, net.now) == Status::ok);
    CHECK((again.agent.counter() == counter) == restored);
    CHECK(again.agent.metrics().steps == (restored ? 5 : 0));
    CHECK_FALSE(again.agent.fresh());
    net[1].x.assign(300, 50);  // in place: the agent looks at this memory
    REQUIRE(again.agent.meet(kSecond, net.now) == Status::ok);
    net.run(net.now + 60'000, true);
    const auto too_far = again.agent.metrics().refused[static_cast<std::size_t>(Refusal::too_far)];
    CHECK(too_far == (restored ? 1 : 0));  // an agent without memory of distances admits the first
  }
}

TEST_CASE("a checkpoint of another block length gives its model and counter, and no more") {
  AgentConfig config = config_of(1);
  Device device(config, constant(7), Time(0));
  for (int k = 0; k < 3; ++k) REQUIRE(device.agent.step().ok());
  MemoryStore store(8192);
  REQUIRE(device.agent.save(store) == Status::ok);
  for (const std::uint32_t block : {0U, 1U, 99U, 150U}) {
    config.block_length = block;
    Device other(config, constant(0), Time(0));
    REQUIRE(other.agent.restore(store, Time(0)) == Status::ok);
    CHECK(other.x == constant(7));
    CHECK(other.agent.counter() == StepCounter(3));
    CHECK(other.agent.metrics().steps == 0);
  }
}

TEST_CASE("without a checkpoint, with another swarm's, or a damaged one an agent starts as it was") {
  const AgentConfig config = config_of(1);
  const auto start = [](const AgentConfig& of, MemoryStore& store, Status expected) {
    Device device(of, constant(4), Time(0));
    CHECK(device.agent.restore(store, Time(0)) == expected);
    CHECK(device.x == constant(4));
    CHECK(device.agent.counter() == StepCounter(0));
    CHECK(device.agent.step().ok());
  };
  MemoryStore store = store_for(config);
  start(config, store, Status::no_checkpoint);
  Device device(config, constant(7), Time(0));
  REQUIRE(device.agent.save(store) == Status::ok);
  AgentConfig foreign = config;
  foreign.fingerprint = 78;
  start(foreign, store, Status::checkpoint_foreign);
  for (const unsigned slot : {0U, 1U}) {
    const std::array<std::byte, Store::kPage> zeros{};
    REQUIRE(store.erase(slot) == Status::ok);
    REQUIRE(store.write(slot, Store::kPage, zeros) == Status::ok);
    REQUIRE(store.write(slot, 0, std::array<std::byte, Store::kPage>{std::byte{1}}) == Status::ok);
  }
  start(config, store, Status::checkpoint_damaged);
  CHECK(Agent::checkpoint_size(config, 0) == 0);
  CHECK(Agent::checkpoint_size(config, 300) % Store::kPage == 0);
}

// What a checkpoint holds beside the model, to be changed by hand.
std::vector<std::byte> records_in(MemoryStore& store, std::vector<float>& model, StepCounter& steps) {
  std::vector<std::byte> records(4096);
  const auto loaded = checkpoint::load(store, 77, model, records);
  REQUIRE(loaded.ok());
  records.resize(loaded->records);
  steps = loaded->steps;
  return records;
}

void change(MemoryStore& store, std::size_t at, std::vector<std::uint8_t> bytes) {
  std::vector<float> model(300);
  StepCounter steps;
  std::vector<std::byte> records = records_in(store, model, steps);
  for (const std::uint8_t byte : bytes) records[at++] = std::byte{byte};
  REQUIRE(
      checkpoint::save(store, {.fingerprint = 77, .parameters = model, .steps = steps, .records = records}) ==
      Status::ok);
}

TEST_CASE("records that are laid out otherwise are left, the model and its counter are not") {
  const AgentConfig config = config_of(1);
  Device device(config, constant(7), Time(0));
  for (int k = 0; k < 3; ++k) REQUIRE(device.agent.step().ok());
  const auto restored = [&](std::size_t at, std::vector<std::uint8_t> bytes) {
    MemoryStore store = store_for(config);
    REQUIRE(device.agent.save(store) == Status::ok);
    change(store, at, std::move(bytes));
    Device again(config, constant(0), Time(0));
    REQUIRE(again.agent.restore(store, Time(0)) == Status::ok);
    CHECK(again.x == constant(7));
    CHECK(again.agent.counter() == StepCounter(3));
    return again.agent.metrics().steps == 3;
  };
  CHECK(restored(16, {3}));         // the agent's own steps, as they were
  CHECK_FALSE(restored(0, {9}));    // the version, and what else the head says: see sdk/README.md
  CHECK_FALSE(restored(2, {99}));   // finished exchanges
  CHECK_FALSE(restored(4, {99}));   // gates
  CHECK_FALSE(restored(8, {99}));   // parameters to a gate
  CHECK_FALSE(restored(28, {99}));  // step estimates
}

TEST_CASE("a gate that cannot have been is forgotten, and so is a last step that is no number") {
  AgentConfig config = config_of(1);
  config.guarding.gate = true;
  config.block_length = 0;
  LossyNet net(4, {.delay_ms = 2});
  net.add(config, constant(0));
  net.add(config_of(2), constant(0));
  net.connect();
  const auto meet_at_distance = [&net](float distance) {
    net[1].x.assign(300, net[0].x[0] + distance);  // in place: the agent looks at this memory
    REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
    net.run(net.now + 60'000, true);
    return net[0].agent.metrics().completed;
  };
  for (std::uint64_t k = 1; k <= 3; ++k) REQUIRE(meet_at_distance(0.5F) == k);
  MemoryStore store = store_for(config);
  REQUIRE(net[0].agent.save(store) == Status::ok);

  // Whether the gate admits a partner so far away, after these bytes of the records were changed.
  const auto admits = [&](float distance, std::size_t at, std::vector<std::uint8_t> bytes) {
    MemoryStore changed = store;
    change(changed, at, std::move(bytes));
    config.seed += 10;
    net.restart(0, config, constant(99));
    REQUIRE(net[0].agent.restore(changed, net.now) == Status::ok);
    return meet_at_distance(distance) == 1;
  };
  constexpr std::size_t kLastUpdate = 12;
  CHECK(admits(0.5F, kLastUpdate, {0, 0, 0, 0}));
  CHECK_FALSE(admits(50, kLastUpdate, {0, 0, 0, 0}));
  CHECK(admits(0.5F, kLastUpdate, {0, 0, 0xC0, 0x7F}));  // NaN: as if it had been 0
  CHECK_FALSE(admits(50, kLastUpdate, {0, 0, 0xC0, 0x7F}));
  CHECK(admits(50, kLastUpdate, {0, 0, 0xC8, 0xC2}));  // -100: its magnitude counts
  // A gate that knows nothing admits anybody: one of whose three distances is infinite, or negative; and one of another
  // layout.
  const std::size_t gate = 32 + 32 * std::size_t{config.finished};
  CHECK(admits(50, gate + 4, {0x80, 0x7F}));
  CHECK(admits(50, gate + 4, {0x80, 0xBF}));
  CHECK(admits(50, 0, {9}));
}

TEST_CASE(
    "a store that fails, or changes while it is read, leaves an agent that remembers nothing and learns") {
  const AgentConfig config = config_of(1);
  Device device(config, constant(7), Time(0));
  REQUIRE(device.agent.step().ok());
  MemoryStore saved = store_for(config);
  REQUIRE(device.agent.save(saved) == Status::ok);
  const auto restore = [&](MemoryStore& store) {
    Device again(config, constant(0), Time(0));
    const Status status = again.agent.restore(store, Time(0));
    CHECK(again.agent.metrics().steps == (status == Status::ok ? 1 : 0));
    CHECK(again.agent.step().ok());
    return status;
  };
  std::size_t operations = 0;
  for (;; ++operations) {
    MemoryStore store = saved;
    store.fail_at(operations);
    const Status status = restore(store);
    if (status == Status::ok) break;
    CHECK(status == Status::store_failed);
  }
  CHECK(operations > 4);
  bool changed = false;
  for (std::size_t read = 0; read < operations; ++read) {
    MemoryStore store = saved;
    store.flip_at_read(read, 0, 8 * (Store::kPage + 5));
    const Status status = restore(store);
    changed |= status == Status::checkpoint_changed;
    CHECK(status != Status::store_failed);
  }
  CHECK(changed);
}

TEST_CASE("an agent that is in an exchange does not go back to a checkpoint") {
  Interrupted at;
  MemoryStore store = store_for(config_of(1));
  REQUIRE(at.net[0].agent.save(store) == Status::ok);
  at.net.run(at.net.now + 1);
  REQUIRE(at.net[0].agent.exchanging());
  CHECK(at.net[0].agent.restore(store, at.net.now) == Status::busy);
}

}  // namespace
