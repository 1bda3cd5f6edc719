// An agent that has settled: it takes no steps, and averages.
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

// Steps of half the size from the third on.
AgentConfig config_of(std::uint64_t seed, ScheduleCounter counter = ScheduleCounter::gossip) {
  AgentConfig config{.seed = seed, .schedule_counter = counter, .fresh = false, .mean_wait = 0};
  config.schedule = {.shape = Schedule::Shape::piecewise, .eta = 0.5F, .breakpoint_count = 1, .settle = 0.3F};
  config.schedule.breakpoints[0] = {3, 0.5F};
  config.local_steps = 2;
  config.guarding.gate = false;
  return config;
}

void meet(LossyNet& net) {
  REQUIRE(net[0].agent.meet(PeerId{1}, net.now) == Status::ok);
  net.run(net.now + 60'000, true);
}

TEST_CASE("below its threshold an agent refuses to step, and steps at no exchange, but averages") {
  LossyNet net(1, {});
  for (std::uint64_t k = 0; k < 2; ++k)
    net.add(config_of(k + 1), std::vector<float>(10, static_cast<float>(k)));
  net.connect();
  for (int step = 0; step < 3; ++step) {
    CHECK_FALSE(net[0].agent.settled());
    CHECK(net[0].agent.step().ok());
  }
  CHECK(net[0].agent.settled());
  CHECK(net[0].agent.step().status() == Status::settled);
  CHECK(net[0].agent.counter() == StepCounter(3));
  for (int step = 0; step < 3; ++step) CHECK(net[1].agent.step().ok());
  meet(net);
  for (std::size_t k = 0; k < 2; ++k) {
    CHECK(net[k].agent.metrics().steps == 3);
    CHECK(net[k].agent.metrics().completed == 1);
    CHECK(net[k].x == std::vector<float>(10, 0.5F));
  }
}

TEST_CASE("by the gossip-averaged counter a partner far behind wakes an agent; by its own none does") {
  for (const ScheduleCounter counter : {ScheduleCounter::gossip, ScheduleCounter::own}) {
    LossyNet net(1, {});
    for (std::uint64_t k = 0; k < 2; ++k) net.add(config_of(k + 1, counter), std::vector<float>(10));
    net.connect();
    for (int step = 0; step < 3; ++step) CHECK(net[0].agent.step().ok());
    CHECK(net[0].agent.settled());
    meet(net);  // the counters, 3 and 0, meet
    CHECK(net[0].agent.metrics().steps == 3);
    CHECK(net[1].agent.metrics().steps == 2);
    CHECK(net[0].agent.settled() == (counter == ScheduleCounter::own));
  }
}

// A model of 16 bits, each step of which adds one.
struct Counting {
  Counting() {
    const auto count = [](const void*, std::span<std::int16_t> model, const FixedBatch&, FixedRate, Random&,
                          std::span<std::int32_t>, std::uint64_t&) noexcept {
      ++model[0];
      return std::int32_t{0};
    };
    const FixedBatchSource none{
        [](void* nothing) noexcept -> const FixedBatch& { return *static_cast<FixedBatch*>(nothing); },
        &batch};
    FixedSchedule schedule{
        .shape = Schedule::Shape::piecewise, .eta = FixedRate::from(0.5), .breakpoint_count = 1};
    schedule.breakpoints[0] = {StepCounter(3), FixedRate::from(0.5)};
    schedule.settle = FixedRate::from(0.3);
    status = agent.init(config, x, layout, {.function = count, .parameters = 1}, none, schedule, {},
                        std::as_writable_bytes(std::span(workspace)), Time(0));
  }

  AgentConfig config{.fresh = false};
  std::vector<std::int16_t> x = std::vector<std::int16_t>(1);
  std::vector<Tensor> layout{{.length = 1, .fraction = 8}};
  FixedBatch batch{};
  std::vector<std::uint64_t> workspace =
      std::vector<std::uint64_t>(Agent::workspace_size(config, 1, 1, Numeric::int16) / 8 + 1);
  Agent agent{};
  Status status = Status::ok;
};

TEST_CASE("an integer agent settles by its own schedule, and is settled after a restart") {
  Counting first;
  REQUIRE(first.status == Status::ok);
  for (int step = 0; step < 3; ++step) CHECK(first.agent.step().ok());
  CHECK(first.agent.step().status() == Status::settled);
  CHECK(first.x[0] == 3);
  MemoryStore store(static_cast<std::size_t>(Agent::checkpoint_size(first.config, 1, 1, Numeric::int16)));
  REQUIRE(first.agent.save(store) == Status::ok);
  Counting again;
  CHECK_FALSE(again.agent.settled());
  REQUIRE(again.agent.restore(store, Time(0)) == Status::ok);
  CHECK(again.agent.settled());
  CHECK(again.x[0] == 3);
}

}  // namespace
