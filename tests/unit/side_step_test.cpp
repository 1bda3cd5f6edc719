// Local steps taken beside the protocol.
#include "lossy_net.h"
#include "memory_store.h"

#include <popsgd/agent.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using popsgd::test::LossyNet;
using popsgd::test::MemoryStore;

constexpr std::size_t kParameters = 10;

AgentConfig config_of(std::uint64_t seed) {
  AgentConfig config{.seed = seed, .fresh = false, .mean_wait = 0};
  config.guarding.gate = false;
  return config;
}

class Aside {
 public:
  explicit Aside(std::size_t bytes = SideStep::size(kParameters)) : memory_((bytes + 7) / 8) {}
  SideStep step() { return SideStep(std::as_writable_bytes(std::span(memory_))); }

 private:
  std::vector<std::uint64_t> memory_;
};

// Two agents, at 1 and at 3 everywhere, whose steps add 7.
LossyNet pair_of(AgentConfig (*configure)(std::uint64_t) = config_of) {
  LossyNet net(1, {});
  for (std::uint64_t k = 0; k < 2; ++k)
    net.add(configure(k + 1), std::vector<float>(kParameters, static_cast<float>(2 * k + 1))).drift = 7;
  net.connect();
  return net;
}

void meet(LossyNet& net) {
  REQUIRE(net[0].agent.meet(PeerId{1}, net.now) == Status::ok);
  net.run(net.now + 60'000, true);
  REQUIRE(net[0].agent.metrics().completed == 1);
}

TEST_CASE("a step beside the protocol is the step that step() takes, bit for bit") {
  LossyNet beside = pair_of();
  LossyNet plain = pair_of();
  Aside memory;
  SideStep step = memory.step();
  for (int k = 0; k < 5; ++k) {
    REQUIRE(beside[0].agent.begin_step(step) == Status::ok);
    const float loss = beside[0].agent.work(step);
    beside[0].agent.end_step(step);
    CHECK(loss == plain[0].agent.step().value());
    CHECK(beside[0].x == plain[0].x);
  }
  CHECK(beside[0].x == std::vector<float>(kParameters, 1 + 5 * 7));
  CHECK(beside[0].agent.metrics().steps == 5);
  CHECK(beside[0].agent.counter() == StepCounter(5));
}

TEST_CASE("an exchange completes while a step is under way, and the step is added to the average") {
  LossyNet net = pair_of();
  Aside memory;
  SideStep step = memory.step();
  REQUIRE(net[0].agent.begin_step(step) == Status::ok);
  net[0].agent.work(step);
  CHECK(net[0].x == std::vector<float>(kParameters, 1));
  meet(net);
  CHECK(net[0].x == std::vector<float>(kParameters, 2));
  net[0].agent.end_step(step);
  CHECK(net[0].x == std::vector<float>(kParameters, 2 + 7));
  CHECK(net[1].x == std::vector<float>(kParameters, 2));
}

TEST_CASE("a step that began at a model which was replaced is dropped") {
  LossyNet net = pair_of([](std::uint64_t seed) {
    AgentConfig config = config_of(seed);
    config.fresh = seed == 1;
    return config;
  });
  Aside memory;
  SideStep step = memory.step();
  REQUIRE(net[0].agent.begin_step(step) == Status::ok);
  net[0].agent.work(step);
  meet(net);
  net[0].agent.end_step(step);
  CHECK(net[0].x == std::vector<float>(kParameters, 3));
  CHECK(net[0].agent.metrics().steps == 0);
  REQUIRE(net[0].agent.begin_step(step) == Status::ok);
  net[0].agent.work(step);
  net[0].agent.end_step(step);
  CHECK(net[0].agent.metrics().steps == 1);
}

TEST_CASE("one step at a time, and nothing that would tear it") {
  LossyNet net = pair_of();
  Aside memory;
  SideStep step = memory.step();
  REQUIRE(net[0].agent.begin_step(step) == Status::ok);
  CHECK(net[0].agent.begin_step(step) == Status::busy);
  CHECK(net[0].agent.step().status() == Status::busy);
  MemoryStore store(static_cast<std::size_t>(Agent::checkpoint_size(config_of(1), kParameters)));
  CHECK(net[0].agent.save(store) == Status::ok);
  CHECK(net[0].agent.restore(store, net.now) == Status::busy);
  net[0].agent.work(step);
  net[0].agent.end_step(step);
  CHECK(net[0].agent.restore(store, net.now) == Status::ok);
  CHECK(net[0].agent.step().ok());
}

TEST_CASE("memory that is too small, and steps that belong to exchanges, are refused") {
  LossyNet net = pair_of();
  Aside small(SideStep::size(kParameters) - 8);
  SideStep no_room = small.step();
  CHECK(net[0].agent.begin_step(no_room) == Status::scratch_too_small);

  Aside memory;
  SideStep step = memory.step();
  LossyNet at_exchanges = pair_of([](std::uint64_t seed) {
    AgentConfig config = config_of(seed);
    config.local_steps = 1;
    return config;
  });
  CHECK(at_exchanges[0].agent.begin_step(step) == Status::busy);
  LossyNet blocking = pair_of([](std::uint64_t seed) {
    AgentConfig config = config_of(seed);
    config.averaging = Averaging::blocking;
    return config;
  });
  CHECK(blocking[0].agent.begin_step(step) == Status::busy);
}

// A model of 8 bits, each step of which adds 100 to its first number.
TEST_CASE("integers that a step and an average have moved stop at the ends of their type") {
  const auto add = [](const void*, std::span<std::int8_t> model, const FixedBatch&, FixedRate, Random&,
                      std::span<std::int32_t>, std::uint64_t&) noexcept {
    model[0] = static_cast<std::int8_t>(model[0] + 100);
    return std::int32_t{0};
  };
  const Tensor layout[] = {{.length = 2, .fraction = 4}};
  FixedBatch batch{};
  const FixedBatchSource source{
      [](void* context) noexcept -> const FixedBatch& { return *static_cast<FixedBatch*>(context); }, &batch};
  std::vector<std::int8_t> model(2);
  const AgentConfig config = config_of(1);
  std::vector<std::uint64_t> workspace(Agent::workspace_size(config, 2, 1, Numeric::int8) / 8 + 1);
  Agent agent;
  REQUIRE(agent.init(config, model, layout, FixedGradient<std::int8_t>{.function = add, .parameters = 2},
                     source, {}, {}, std::as_writable_bytes(std::span(workspace)), Time{}) == Status::ok);
  Aside memory(SideStep::size(2, Numeric::int8));
  SideStep step = memory.step();
  REQUIRE(agent.begin_step(step) == Status::ok);
  agent.work(step);
  agent.end_step(step);
  CHECK(model[0] == 100);
  model[0] = 20;
  REQUIRE(agent.begin_step(step) == Status::ok);
  agent.work(step);
  model[0] = 90;  // averaging, meanwhile
  agent.end_step(step);
  CHECK(model[0] == 127);
  CHECK(model[1] == 0);
}

}  // namespace
