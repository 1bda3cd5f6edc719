// What an agent refuses to begin with.
#include <popsgd/agent.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;

constexpr std::size_t kParameters = 10;
constexpr std::uint32_t kDay = 24 * 3600 * 1000;

// The status of init() for a configuration, and for memory that fits unless it is changed.
struct Start {
  AgentConfig config{};
  std::size_t parameters = kParameters;  // of the gradient
  std::size_t scratch = 0;               // floats
  std::size_t velocity = 0;              // floats
  std::size_t missing = 0;               // bytes of the workspace
  std::size_t shift = 0;                 // of the workspace, bytes
  bool in_place = true;

  [[nodiscard]] Status status() const {
    std::vector<float> x(kParameters);
    std::vector<float> room(scratch);
    std::vector<float> momenta(velocity);
    const std::size_t size = Agent::workspace_size(config, x.size());
    std::vector<std::uint64_t> words(size / 8 + 2);
    const auto nothing = [](const void*, ConstParams, const Batch&, float, float, Params, Scratch) noexcept {
      return 0.0F;
    };
    Batch batch{};
    const BatchSource source{[](void* b) noexcept -> const Batch& { return *static_cast<Batch*>(b); },
                             &batch};
    Agent agent;
    const std::size_t usable = size < missing ? 0 : size - missing;
    return agent.init(config, x, {.function = nothing, .parameters = parameters, .in_place = in_place},
                      source, momenta, room, std::as_writable_bytes(std::span(words)).subspan(shift, usable),
                      Time(0));
  }
};

TEST_CASE("each setting of an agent has its range, and beyond it a status") {
  const auto status = [](auto change) {
    Start start;
    change(start.config);
    const bool sized = Agent::workspace_size(start.config, kParameters) > 0;
    const Status result = start.status();
    CHECK(sized == (result == Status::ok));
    return result;
  };
  using C = AgentConfig;
  CHECK(status([](C&) {}) == Status::ok);
  CHECK(status([](C& c) { c.window = 32; }) == Status::ok);
  CHECK(status([](C& c) { c.timing.idle = c.timing.in_doubt; }) == Status::ok);
  CHECK(status([](C& c) { c.timing.in_doubt = kDay / 2; }) == Status::ok);
  CHECK(status([](C& c) { c.guarding.limit = std::numeric_limits<float>::infinity(); }) == Status::ok);

  CHECK(status([](C& c) { c.window = 0; }) == Status::invalid_size);
  CHECK(status([](C& c) { c.window = 33; }) == Status::invalid_size);
  CHECK(status([](C& c) { c.largest_frame = 255; }) == Status::invalid_size);
  CHECK(status([](C& c) { c.peers = 0; }) == Status::invalid_size);
  CHECK(status([](C& c) { c.finished = 0; }) == Status::invalid_size);

  CHECK(status([](C& c) { c.timing.first_timeout = 0; }) == Status::invalid_rate);
  CHECK(status([](C& c) { c.timing.least_timeout = 0; }) == Status::invalid_rate);
  CHECK(status([](C& c) { c.timing.most_timeout = c.timing.least_timeout - 1; }) == Status::invalid_rate);
  CHECK(status([](C& c) { c.timing.most_timeout = kDay + 1; }) == Status::invalid_rate);
  CHECK(status([](C& c) { c.timing.offer = kDay + 1; }) == Status::invalid_rate);
  CHECK(status([](C& c) { c.timing.in_doubt = c.timing.idle - 1; }) == Status::invalid_rate);
  CHECK(status([](C& c) { c.timing.in_doubt = kDay / 2 + 1; }) == Status::invalid_rate);
  CHECK(status([](C& c) { c.mean_wait = kDay / 32 + 1; }) == Status::invalid_rate);
  CHECK(status([](C& c) { c.guarding.limit = 0; }) == Status::invalid_rate);
  CHECK(status([](C& c) { c.guarding.limit = std::numeric_limits<float>::quiet_NaN(); }) ==
        Status::invalid_rate);
  CHECK(status([](C& c) { c.schedule.eta = -1; }) == Status::invalid_rate);
  CHECK(status([](C& c) { c.sgd.momentum = 1; }) == Status::invalid_rate);
}

TEST_CASE("a model has 1 to 2^32 - 1 parameters in at most 65,536 blocks") {
  AgentConfig config;
  CHECK(Agent::workspace_size(config, 0) == 0);
  CHECK(Agent::workspace_size(config, std::size_t{1} << 32) == 0);
  config.block_length = 1;
  CHECK(Agent::workspace_size(config, 65'536) > 0);
  CHECK(Agent::workspace_size(config, 65'537) == 0);
  config.block_length = 2;
  CHECK(Agent::workspace_size(config, 65'537) > 0);
}

TEST_CASE("a gradient of another length and memory that is too small or not aligned are refused") {
  CHECK(Start{}.status() == Status::ok);
  CHECK(Start{.parameters = kParameters + 1}.status() == Status::shape_mismatch);
  CHECK(Start{.velocity = 1}.status() == Status::shape_mismatch);
  CHECK(Start{.config = {.sgd = {.momentum = 0.5F}}}.status() == Status::shape_mismatch);
  CHECK(Start{.config = {.sgd = {.momentum = 0.5F}}, .velocity = kParameters}.status() == Status::ok);
  CHECK(Start{.scratch = kParameters - 1, .in_place = false}.status() == Status::scratch_too_small);
  CHECK(Start{.scratch = kParameters, .in_place = false}.status() == Status::ok);
  CHECK(Start{.missing = 1}.status() == Status::scratch_too_small);
  CHECK(Start{.shift = 4}.status() == Status::scratch_too_small);
}

TEST_CASE("an agent without a gradient or without data is refused") {
  std::vector<float> x(10);
  std::vector<std::uint64_t> workspace(Agent::workspace_size({}, x.size()) / 8 + 1);
  const BatchSource source{[](void* batch) noexcept -> const Batch& { return *static_cast<Batch*>(batch); }};
  const auto nothing = [](const void*, ConstParams, const Batch&, float, float, Params, Scratch) noexcept {
    return 0.0F;
  };
  Agent agent;
  const auto init = [&](Gradient::Function gradient, const BatchSource& batches) {
    return agent.init({}, x, {.function = gradient, .parameters = x.size(), .in_place = true}, batches, {},
                      {}, std::as_writable_bytes(std::span(workspace)), Time(0));
  };
  CHECK(init(nullptr, source) == Status::no_function);
  CHECK(init(nothing, {}) == Status::no_function);
  CHECK(init(nothing, source) == Status::ok);
}

}  // namespace
