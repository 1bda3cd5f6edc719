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
  CHECK(status([](C& c) { c.timing.slowest = 0; }) == Status::invalid_rate);
  CHECK(status([](C& c) { c.schedule.eta = -1; }) == Status::invalid_rate);
  CHECK(status([](C& c) { c.sgd.momentum = 1; }) == Status::invalid_rate);

  const auto quantise = [&status](Width width, std::uint8_t bits) {
    return status([=](C& c) { c.quantise = {.width = width, .bits = bits}; });
  };
  CHECK(quantise(Width::fixed, 2) == Status::ok);
  CHECK(quantise(Width::fixed, 16) == Status::ok);
  CHECK(quantise(Width::automatic, 0) == Status::ok);  // bits count only if they are fixed
  CHECK(quantise(Width::fixed, 1) == Status::invalid_size);
  CHECK(quantise(Width::fixed, 17) == Status::invalid_size);
  CHECK(quantise(static_cast<Width>(3), 4) == Status::invalid_size);
}

TEST_CASE("a model has 1 to 2^32 - 1 parameters in at most 65,536 blocks") {
  AgentConfig config;
  CHECK(Agent::workspace_size(config, 0) == 0);
  CHECK(Agent::workspace_size(config, kParameters, 0) == 0);
  CHECK(Agent::checkpoint_size(config, kParameters, 0) == 0);
#if SIZE_MAX > UINT32_MAX  // else there are no more
  CHECK(Agent::workspace_size(config, std::size_t{1} << 32) == 0);
#endif
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

// An integer agent, as Start is one of floats.
template <typename Weight>
struct IntegerStart {
  AgentConfig config{};
  FixedSchedule schedule{};
  std::vector<Tensor> layout{{kParameters, 4}};
  std::size_t parameters = kParameters;  // of the gradient
  std::size_t needed = 0;                // words of scratch, of which there are none
  bool gradient = true;
  bool source = true;

  [[nodiscard]] Status status() const {
    std::vector<Weight> x(kParameters);
    const auto nothing = [](const void*, std::span<Weight>, const FixedBatch&, FixedRate, Random&,
                            std::span<std::int32_t>, std::uint64_t&) noexcept { return std::int32_t{0}; };
    FixedBatch batch{};
    const FixedBatchSource batches{
        [](void* b) noexcept -> const FixedBatch& { return *static_cast<FixedBatch*>(b); }, &batch};
    std::vector<std::uint64_t> words(1024);
    Agent agent;
    return agent.init(
        config, x, layout,
        {.function = gradient ? +nothing : nullptr, .parameters = parameters, .scratch = needed},
        source ? batches : FixedBatchSource{}, schedule, {}, std::as_writable_bytes(std::span(words)),
        Time(0));
  }
};

TEST_CASE_TEMPLATE("an integer agent is refused for what a float agent is, and for its layout", Weight,
                   std::int16_t, std::int8_t) {
  using Integers = IntegerStart<Weight>;
  CHECK(Integers{}.status() == Status::ok);
  CHECK(Integers{.config = {.window = 0}}.status() == Status::invalid_size);
  CHECK(Integers{.schedule = {.horizon = StepCounter(0)}}.status() == Status::invalid_rate);
  CHECK(Integers{.gradient = false}.status() == Status::no_function);
  CHECK(Integers{.source = false}.status() == Status::no_function);
  CHECK(Integers{.parameters = kParameters + 1}.status() == Status::shape_mismatch);
  CHECK(Integers{.needed = 1}.status() == Status::scratch_too_small);
  CHECK(Integers{.layout = {{4, 31}, {6, -31}}}.status() == Status::ok);
  for (const std::vector<Tensor>& bad : {std::vector<Tensor>{},
                                         {{kParameters - 1, 4}},
                                         {{kParameters, 4}, {0, 4}},
                                         {{kParameters, 32}},
                                         {{kParameters, -32}}})
    CHECK(Integers{.layout = bad}.status() == Status::shape_mismatch);
}

TEST_CASE("a float agent is refused a layout that is not its model's, and a model of integers") {
  std::vector<float> x(kParameters);
  std::vector<std::int16_t> integers(kParameters);
  std::vector<std::uint64_t> words(1024);
  const auto nothing = [](const void*, ConstParams, const Batch&, float, float, Params, Scratch) noexcept {
    return 0.0F;
  };
  Batch batch{};
  const BatchSource source{[](void* b) noexcept -> const Batch& { return *static_cast<Batch*>(b); }, &batch};
  const auto init = [&](const Model& model) {
    Agent agent;
    return agent.init({}, model, {.function = nothing, .parameters = kParameters, .in_place = true}, source,
                      {}, {}, std::as_writable_bytes(std::span(words)), Time(0));
  };
  const std::vector<Tensor> layout{{4, 0}, {6, 0}};
  CHECK(init(Model(x, layout)) == Status::ok);
  CHECK(init(Model(x, std::span(layout).first(1))) == Status::shape_mismatch);
  CHECK(init(Model(integers, layout)) == Status::shape_mismatch);
}

}  // namespace
