// The C ABI's numbers, defaults and configuration, against those of C++.
#include "c_api/config.h"
#include "c_api/fixed.h"

#include <popsgd/popsgd.h>
#include <popsgd/random.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;

popsgd_agent_config defaults() {
  popsgd_agent_config config;
  REQUIRE(popsgd_agent_config_init(&config, sizeof config) == POPSGD_OK);
  return config;
}

void check_equal(const AgentConfig& a, const AgentConfig& b) {
  CHECK(a.seed == b.seed);
  CHECK(a.fingerprint == b.fingerprint);
  CHECK(a.sgd.weight_decay == b.sgd.weight_decay);
  CHECK(a.sgd.momentum == b.sgd.momentum);
  CHECK(a.schedule.shape == b.schedule.shape);
  CHECK(a.schedule.eta == b.schedule.eta);
  CHECK(a.schedule.horizon == b.schedule.horizon);
  CHECK(a.schedule.breakpoint_count == b.schedule.breakpoint_count);
  for (std::size_t k = 0; k < Schedule::kMaxBreakpoints; ++k) {
    CHECK(a.schedule.breakpoints[k].steps == b.schedule.breakpoints[k].steps);
    CHECK(a.schedule.breakpoints[k].factor == b.schedule.breakpoints[k].factor);
  }
  CHECK(a.schedule.settle == b.schedule.settle);
  CHECK(a.schedule_counter == b.schedule_counter);
  CHECK(a.averaging == b.averaging);
  CHECK(a.local_steps == b.local_steps);
  CHECK(a.fresh == b.fresh);
  CHECK(a.mean_wait == b.mean_wait);
  CHECK(a.block_length == b.block_length);
  CHECK(a.largest_frame == b.largest_frame);
  CHECK(a.window == b.window);
  CHECK(a.peers == b.peers);
  CHECK(a.finished == b.finished);
  CHECK(a.guarding.limit == b.guarding.limit);
  CHECK(a.guarding.gate == b.guarding.gate);
  CHECK(a.quantise.width == b.quantise.width);
  CHECK(a.quantise.bits == b.quantise.bits);
  CHECK(a.quantise.rotate == b.quantise.rotate);
  CHECK(a.timing.first_timeout == b.timing.first_timeout);
  CHECK(a.timing.least_timeout == b.timing.least_timeout);
  CHECK(a.timing.most_timeout == b.timing.most_timeout);
  CHECK(a.timing.offer == b.timing.offer);
  CHECK(a.timing.idle == b.timing.idle);
  CHECK(a.timing.in_doubt == b.timing.in_doubt);
  CHECK(a.timing.busy == b.timing.busy);
  CHECK(a.timing.slowest == b.timing.slowest);
  CHECK(a.privacy == b.privacy);
  CHECK(a.peer_interval == b.peer_interval);
}

TEST_CASE("every status has the same number and text in C, and there is none that C does not know") {
  for (int number = 0; number < 256; ++number) {
    const auto status = static_cast<popsgd_status>(number);
    CHECK(popsgd_text(status) == text(static_cast<Status>(number)));
    const bool known = std::string_view(popsgd_text(status)) != "unknown status";
    CHECK(known == (number <= POPSGD_CHECKPOINT_UNACCOUNTED));
  }
  CHECK(std::string_view(popsgd_version()) == POPSGD_VERSION);
}

TEST_CASE("the defaults of C are those of C++") {
  const popsgd_agent_config config = defaults();
  CHECK(config.size == sizeof config);
  const auto read = c_api::read(&config);
  REQUIRE(read.ok());
  check_equal(read.value(), AgentConfig{});

  popsgd_fixed_schedule schedule;
  popsgd_fixed_schedule_init(&schedule);
  const FixedSchedule fixed = c_api::read(schedule).value();
  constexpr FixedSchedule kDefault{};
  CHECK(fixed.shape == kDefault.shape);
  CHECK(fixed.eta == kDefault.eta);
  CHECK(fixed.horizon == kDefault.horizon);
  CHECK(fixed.breakpoint_count == kDefault.breakpoint_count);
  CHECK(fixed.settle == kDefault.settle);
  CHECK(fixed.breakpoints[7].factor == kDefault.breakpoints[7].factor);
  CHECK(fixed.check() == Status::ok);
  popsgd_fixed_schedule_init(nullptr);
}

TEST_CASE("every setting of C is the setting of C++ by its name") {
  AgentConfig wanted{.seed = 1, .fingerprint = 2, .sgd = {.weight_decay = 3, .momentum = 0.4F}};
  wanted.schedule = {.shape = Schedule::Shape::piecewise, .eta = 5, .horizon = 6, .breakpoint_count = 2};
  wanted.schedule.breakpoints[0] = {7, 8};
  wanted.schedule.breakpoints[7] = {9, 10};
  wanted.schedule.settle = 11;
  wanted.schedule_counter = ScheduleCounter::own;
  wanted.averaging = Averaging::blocking;
  wanted.local_steps = 12;
  wanted.fresh = false;
  wanted.mean_wait = 13;
  wanted.block_length = 14;
  wanted.largest_frame = 15;
  wanted.window = 16;
  wanted.peers = 17;
  wanted.finished = 18;
  wanted.guarding = {.limit = 19, .gate = false};
  wanted.quantise = {.width = Width::fixed, .bits = 20, .rotate = true};
  wanted.timing = {21, 22, 23, 24, 25, 26, 27, 28};
  wanted.peer_interval = 29;

  popsgd_agent_config config = defaults();
  config.seed = 1;
  config.fingerprint = 2;
  config.weight_decay = 3;
  config.momentum = 0.4F;
  config.schedule.shape = POPSGD_PIECEWISE;
  config.schedule.eta = 5;
  config.schedule.horizon = 6;
  config.schedule.breakpoint_count = 2;
  config.schedule.breakpoints[0] = {7, 8};
  config.schedule.breakpoints[7] = {9, 10};
  config.schedule.settle = 11;
  config.schedule_counter = POPSGD_OWN;
  config.averaging = POPSGD_BLOCKING;
  config.local_steps = 12;
  config.fresh = false;
  config.mean_wait = 13;
  config.block_length = 14;
  config.largest_frame = 15;
  config.window = 16;
  config.peers = 17;
  config.finished = 18;
  config.guarding = {19, false};
  config.quantise = {POPSGD_FIXED, 20, true};
  config.timing = {21, 22, 23, 24, 25, 26, 27, 28};
  config.peer_interval = 29;
  check_equal(c_api::read(&config).value(), wanted);
}

// Sizes of the versions before.
constexpr std::size_t kWithoutPrivacy = offsetof(popsgd_agent_config, privacy);
constexpr std::size_t kWithoutInterval = offsetof(popsgd_agent_config, peer_interval);

TEST_CASE(
    "who was compiled before a setting was there has its default, whatever lies behind its configuration") {
  for (const std::size_t size : {kWithoutPrivacy, kWithoutInterval}) {
    CAPTURE(size);
    if (size % alignof(popsgd_agent_config) != 0) continue;  // there it lies in what filled that version up
    popsgd_agent_config config;
    std::memset(&config, 0xFF, sizeof config);
    REQUIRE(popsgd_agent_config_init(&config, size) == POPSGD_OK);
    CHECK(config.peer_interval == UINT32_MAX);  // not written
    CHECK((config.privacy != nullptr) == (size == kWithoutPrivacy));
    CHECK(config.size == size);
    const auto read = c_api::read(&config);
    REQUIRE(read.ok());
    check_equal(read.value(), AgentConfig{});
  }
}

TEST_CASE("a fixed schedule of C is that of C++, in whole steps") {
  popsgd_fixed_schedule schedule;
  popsgd_fixed_schedule_init(&schedule);
  schedule.shape = POPSGD_PIECEWISE;
  schedule.eta = {3, 4};
  schedule.horizon = 4'000'000'000;
  schedule.breakpoint_count = 1;
  schedule.breakpoints[0] = {5, {6, 7}};
  schedule.settle = {8, 9};
  const FixedSchedule read = c_api::read(schedule).value();
  CHECK(read.shape == FixedSchedule::Shape::piecewise);
  CHECK(read.eta == FixedRate{3, 4});
  CHECK(read.horizon == StepCounter(4'000'000'000));
  CHECK(read.breakpoint_count == 1);
  CHECK(read.breakpoints[0].steps == StepCounter(5));
  CHECK(read.breakpoints[0].factor == FixedRate{6, 7});
  CHECK(read.settle == FixedRate{8, 9});
  schedule.shape = 4;
  CHECK(c_api::read(schedule).status() == Status::invalid_size);

  for (const double eta : {0.1, 1.0, 3e-9, 1e12, -1.0, std::nan("")}) {
    const popsgd_fixed_rate rate = popsgd_fixed_rate_of(eta);
    CHECK(FixedRate{rate.mantissa, rate.shift} == FixedRate::from(eta));
  }
  CHECK(popsgd_fixed_rate_of(0.1).mantissa == 3435973836);  // as the header says
  CHECK(popsgd_fixed_rate_of(0.1).shift == 35);
}

TEST_CASE("a configuration of no known size, or with a choice that there is not, is refused") {
  popsgd_agent_config config = defaults();
  CHECK(popsgd_agent_config_init(nullptr, sizeof config) == POPSGD_NULL_POINTER);
  CHECK(c_api::read(nullptr).status() == Status::null_pointer);
  for (const std::size_t size : {std::size_t{0}, sizeof config - 1, sizeof config + 1, SIZE_MAX}) {
    config.fingerprint = 5;
    CHECK(popsgd_agent_config_init(&config, size) == POPSGD_INVALID_SIZE);
    CHECK(config.fingerprint == 5);
    config.size = static_cast<std::uint32_t>(size);
    CHECK(c_api::read(&config).status() == Status::invalid_size);
  }
  const auto refused = [](auto change) {
    popsgd_agent_config changed = defaults();
    change(changed);
    return c_api::read(&changed).status() == Status::invalid_size;
  };
  CHECK(refused([](popsgd_agent_config& c) { c.schedule.shape = POPSGD_PIECEWISE + 1; }));
  CHECK(refused([](popsgd_agent_config& c) { c.schedule_counter = POPSGD_OWN + 1; }));
  CHECK(refused([](popsgd_agent_config& c) { c.averaging = POPSGD_BLOCKING + 1; }));
  CHECK(refused([](popsgd_agent_config& c) { c.quantise.width = POPSGD_FIXED + 1; }));
}

TEST_CASE("the random numbers of C are the application's streams of C++") {
  popsgd_random random;
  popsgd_random_init(&random, 42, 7);
  Random same(42, Purpose::user, 7);
  for (int k = 0; k < 3; ++k) {
    CHECK(popsgd_random_bits(&random) == same.bits());
    CHECK(popsgd_random_below(&random, 10) == same.below(10));
    CHECK(popsgd_random_uniform(&random) == same.uniform());
  }
  popsgd_random copy = random;
  CHECK(popsgd_random_bits(&copy) == popsgd_random_bits(&random));
  CHECK(popsgd_random_below(&random, 0) == 0);
  popsgd_random_init(nullptr, 1, 1);
  CHECK(popsgd_random_bits(nullptr) == 0);
  CHECK(popsgd_random_below(nullptr, 5) == 0);
  CHECK(popsgd_random_uniform(nullptr) == 0);
}

TEST_CASE("a seed is eight bytes of the entropy source, or stays as it was") {
  const auto fill = [](void* context, void* into, std::size_t length) -> popsgd_status {
    CHECK(length == 8);
    std::memset(into, 0xA5, length);
    return *static_cast<popsgd_status*>(context);
  };
  popsgd_status answer = POPSGD_OK;
  popsgd_entropy entropy{fill, &answer};
  std::uint64_t seed = 1;
  CHECK(popsgd_draw_seed(&entropy, &seed) == POPSGD_OK);
  CHECK(seed == 0xA5A5A5A5A5A5A5A5);
  seed = 1;
  answer = POPSGD_NO_ENTROPY;
  CHECK(popsgd_draw_seed(&entropy, &seed) == POPSGD_NO_ENTROPY);
  CHECK(popsgd_draw_seed(nullptr, &seed) == POPSGD_NULL_POINTER);
  CHECK(popsgd_draw_seed(&entropy, nullptr) == POPSGD_NULL_POINTER);
  entropy.fill = nullptr;
  CHECK(popsgd_draw_seed(&entropy, &seed) == POPSGD_NO_FUNCTION);
  CHECK(seed == 1);
}

}  // namespace
