// Whatever an agent of C is given, the worst that comes of it is a status.
#include "c_agent.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using popsgd::test::in_c;
using popsgd::test::MemoryStore;

constexpr std::size_t kLength = 3;
constexpr std::array<popsgd_tensor, 1> kWhole{{{kLength, 4}}};

popsgd_agent_config settings() {
  popsgd_agent_config config;
  popsgd_agent_config_init(&config, sizeof config);
  config.fresh = false;
  return config;
}

// All that init takes, of one kind of model; each part may be changed before begin(). Batches are what `batch` points to.
template <typename Learner>
struct Start;

template <>
struct Start<popsgd_learner> {
  static constexpr popsgd_numeric kNumeric = POPSGD_FLOAT32;
  static constexpr auto init = popsgd_agent_init_float;
  std::array<float, kLength> model{1, 2, 3};
  std::array<float, kLength> scratch{};
  static float gradient(const void*, const float*, const popsgd_batch*, float, float, float*, float*,
                        std::size_t) {
    return 5;
  }
  static const popsgd_batch* next(void* self) { return static_cast<Start*>(self)->batch; }
  popsgd_batch some{};
  const popsgd_batch* batch = &some;
  popsgd_learner learner{
      model.data(),         nullptr, 0, {gradient, nullptr, kLength, 0, true}, {next, this},
      nullptr /*velocity*/, nullptr, 0 /*scratch*/};
};

template <typename Learner, typename Weight, auto Init, popsgd_numeric Numeric>
struct FixedStart {
  static constexpr popsgd_numeric kNumeric = Numeric;
  static constexpr auto init = Init;
  std::array<Weight, kLength> model{1, 2, 3};
  std::array<std::int32_t, kLength> scratch{};
  static std::int32_t gradient(const void*, Weight*, const popsgd_fixed_batch*, popsgd_fixed_rate,
                               popsgd_random*, std::int32_t*, std::size_t, std::uint64_t*) {
    return 5 << 16;
  }
  static const popsgd_fixed_batch* next(void* self) { return static_cast<FixedStart*>(self)->batch; }
  popsgd_fixed_batch some{};
  const popsgd_fixed_batch* batch = &some;
  Learner learner{};

  FixedStart() {
    learner.model = model.data();
    learner.layout = kWhole.data();
    learner.tensors = 1;
    learner.gradient = {gradient, nullptr, kLength, 0};
    learner.source = {next, this};
    popsgd_fixed_schedule_init(&learner.schedule);
  }
  FixedStart(const FixedStart&) = delete;
};
template <>
struct Start<popsgd_int16_learner>
    : FixedStart<popsgd_int16_learner, std::int16_t, popsgd_agent_init_int16, POPSGD_INT16> {};
template <>
struct Start<popsgd_int8_learner>
    : FixedStart<popsgd_int8_learner, std::int8_t, popsgd_agent_init_int8, POPSGD_INT8> {};

template <typename Learner>
struct Device : Start<Learner> {
  popsgd_agent_config config = settings();
  std::vector<std::uint64_t> memory{};
  popsgd_agent* agent = nullptr;

  [[nodiscard]] std::size_t size() const {
    return popsgd_agent_size(&config, kLength, 1, Start<Learner>::kNumeric);
  }
  popsgd_status begin() {
    memory.resize(4096);
    agent = reinterpret_cast<popsgd_agent*>(&memory);  // to see that it is written
    const popsgd_status status =
        Start<Learner>::init(&agent, &config, &this->learner, memory.data(), 8 * memory.size(), 0);
    CHECK((agent != nullptr) == (status == POPSGD_OK));
    return status;
  }
};

// The status of init after a change.
template <typename Learner, typename Change>
popsgd_status after(Change change) {
  Device<Learner> device;
  change(device);
  return device.begin();
}

TEST_CASE_TEMPLATE("an agent begins in exactly as much memory as it asks for, aligned, and in no less",
                   Learner, popsgd_learner, popsgd_int16_learner, popsgd_int8_learner) {
  Device<Learner> device;
  const std::size_t size = device.size();
  REQUIRE(size > 0);
  std::vector<std::uint64_t> words(size / 8 + 2);
  auto* const bytes = reinterpret_cast<std::byte*>(words.data());
  const auto init = [&](std::size_t shift, std::size_t given) {
    return Start<Learner>::init(&device.agent, &device.config, &device.learner, bytes + shift, given, 0);
  };
  CHECK(init(0, size) == POPSGD_OK);
  CHECK(init(8, size) == POPSGD_OK);
  CHECK(popsgd_agent_add_peer(device.agent, 1, 300, true) == POPSGD_OK);
  for (const std::size_t few : {size - 1, size / 2, std::size_t{8}, std::size_t{0}}) {
    CHECK(init(0, few) == POPSGD_SCRATCH_TOO_SMALL);
    CHECK(device.agent == nullptr);
  }
  for (const std::size_t shift : {1U, 2U, 4U}) CHECK(init(shift, size) == POPSGD_SCRATCH_TOO_SMALL);
}

TEST_CASE_TEMPLATE("an agent does not begin without all that it needs", Learner, popsgd_learner,
                   popsgd_int16_learner, popsgd_int8_learner) {
  using D = Device<Learner>;
  CHECK(after<Learner>([](D&) {}) == POPSGD_OK);
  CHECK(after<Learner>([](D& d) { d.learner.model = nullptr; }) == POPSGD_NULL_POINTER);
  CHECK(after<Learner>([](D& d) { d.learner.gradient.function = nullptr; }) == POPSGD_NO_FUNCTION);
  CHECK(after<Learner>([](D& d) { d.learner.source.function = nullptr; }) == POPSGD_NO_FUNCTION);
  CHECK(after<Learner>([](D& d) { d.learner.gradient.parameters = 0; }) == POPSGD_INVALID_SIZE);
  CHECK(after<Learner>([](D& d) { d.learner.gradient.scratch = 1; }) == POPSGD_SCRATCH_TOO_SMALL);
  CHECK(after<Learner>([](D& d) { d.learner.scratch_count = 1; }) == POPSGD_NULL_POINTER);
  CHECK(after<Learner>([](D& d) { d.learner.layout = nullptr, d.learner.tensors = 1; }) ==
        POPSGD_NULL_POINTER);
  CHECK(after<Learner>([](D& d) { d.learner.layout = kWhole.data(), d.learner.tensors = 1; }) == POPSGD_OK);
  CHECK(after<Learner>([](D& d) { d.config.size = 0; }) == POPSGD_INVALID_SIZE);
  CHECK(after<Learner>([](D& d) { d.config.window = 0; }) == POPSGD_INVALID_SIZE);
  CHECK(after<Learner>([](D& d) { d.config.weight_decay = -1; }) == POPSGD_INVALID_RATE);
  CHECK(after<Learner>([](D& d) {
          d.learner.scratch = d.scratch.data(), d.learner.scratch_count = kLength;
          d.learner.gradient.scratch = kLength;
        }) == POPSGD_OK);
  // A model at an odd address: a processor may not be able to read it.
  CHECK(after<popsgd_learner>([](Device<popsgd_learner>& d) {
          d.learner.model = reinterpret_cast<float*>(reinterpret_cast<std::byte*>(d.model.data()) + 1);
        }) == POPSGD_SCRATCH_TOO_SMALL);

  Device<Learner> d;
  d.memory.resize(4096);
  const std::size_t bytes = 8 * d.memory.size();
  const auto init = Start<Learner>::init;
  CHECK(init(nullptr, &d.config, &d.learner, d.memory.data(), bytes, 0) == POPSGD_NULL_POINTER);
  CHECK(init(&d.agent, nullptr, &d.learner, d.memory.data(), bytes, 0) == POPSGD_NULL_POINTER);
  CHECK(init(&d.agent, &d.config, nullptr, d.memory.data(), bytes, 0) == POPSGD_NULL_POINTER);
  CHECK(init(&d.agent, &d.config, &d.learner, nullptr, bytes, 0) == POPSGD_NULL_POINTER);
}

TEST_CASE("what only one kind of model has is checked, too") {
  using Float = Device<popsgd_learner>;
  CHECK(after<popsgd_learner>([](Float& d) { d.config.momentum = 0.5F; }) == POPSGD_NULL_POINTER);
  CHECK(after<popsgd_learner>([](Float& d) { d.learner.gradient.in_place = false; }) ==
        POPSGD_SCRATCH_TOO_SMALL);
  using Fixed = Device<popsgd_int16_learner>;
  CHECK(after<popsgd_int16_learner>([](Fixed& d) { d.learner.tensors = 0; }) == POPSGD_SHAPE_MISMATCH);
  CHECK(after<popsgd_int16_learner>([](Fixed& d) { d.learner.schedule.horizon = 0; }) == POPSGD_INVALID_RATE);
  CHECK(after<popsgd_int16_learner>([](Fixed& d) { d.learner.schedule.shape = 9; }) == POPSGD_INVALID_SIZE);
}

TEST_CASE("sizes of what there is not are 0") {
  popsgd_agent_config config = settings();
  CHECK(popsgd_agent_size(&config, kLength, 1, POPSGD_FLOAT32) > 0);
  CHECK(popsgd_agent_size(nullptr, kLength, 1, POPSGD_FLOAT32) == 0);
  CHECK(popsgd_agent_size(&config, 0, 1, POPSGD_FLOAT32) == 0);
  CHECK(popsgd_agent_size(&config, kLength, 0, POPSGD_FLOAT32) == 0);
  CHECK(popsgd_agent_size(&config, kLength, 1, POPSGD_INT8 + 1) == 0);
  CHECK(popsgd_agent_checkpoint_size(&config, kLength, 1, POPSGD_FLOAT32) > 0);
  CHECK(popsgd_agent_checkpoint_size(nullptr, kLength, 1, POPSGD_FLOAT32) == 0);
  CHECK(popsgd_agent_checkpoint_size(&config, kLength, 1, POPSGD_INT8 + 1) == 0);
  CHECK(popsgd_side_step_size(kLength, POPSGD_INT8 + 1) == 0);
  CHECK(popsgd_side_step_size(kLength, POPSGD_FLOAT32) == SideStep::size(kLength));
  config.peers = 0;
  CHECK(popsgd_agent_size(&config, kLength, 1, POPSGD_FLOAT32) == 0);
  CHECK(popsgd_agent_checkpoint_size(&config, kLength, 1, POPSGD_FLOAT32) == 0);
}

TEST_CASE("of no agent every function says so") {
  alignas(8) std::array<std::byte, 1200> frame{};
  popsgd_outgoing out{7, 7};
  popsgd_metrics metrics{};
  metrics.steps = 7;
  float loss = 7;
  MemoryStore memory(8192);
  const popsgd_store store = in_c(memory);
  CHECK(popsgd_agent_step(nullptr, &loss) == POPSGD_NULL_POINTER);
  CHECK(popsgd_agent_begin_step(nullptr, frame.data(), frame.size()) == POPSGD_NULL_POINTER);
  CHECK(popsgd_agent_work(nullptr, &loss) == POPSGD_NULL_POINTER);
  CHECK(popsgd_agent_end_step(nullptr) == POPSGD_NULL_POINTER);
  CHECK(popsgd_agent_add_peer(nullptr, 1, 1200, true) == POPSGD_NULL_POINTER);
  popsgd_agent_remove_peer(nullptr, 1);
  popsgd_agent_lost_peer(nullptr, 1, 0);
  CHECK(popsgd_agent_meet(nullptr, 1, 0) == POPSGD_NULL_POINTER);
  CHECK(popsgd_agent_receive(nullptr, 1, frame.data(), frame.size(), 0) == POPSGD_NULL_POINTER);
  CHECK(popsgd_agent_send(nullptr, frame.data(), frame.size(), 0, &out) == POPSGD_NULL_POINTER);
  CHECK(out.size == 0);
  CHECK(popsgd_agent_deadline(nullptr, 5) == 5);
  CHECK(popsgd_agent_save(nullptr, &store) == POPSGD_NULL_POINTER);
  CHECK(popsgd_agent_stage(nullptr, &store) == POPSGD_NULL_POINTER);
  popsgd_agent_saved(nullptr);
  CHECK(popsgd_agent_restore(nullptr, &store, 0) == POPSGD_NULL_POINTER);
  CHECK_FALSE(popsgd_agent_exchanging(nullptr));
  CHECK_FALSE(popsgd_agent_fresh(nullptr));
  CHECK_FALSE(popsgd_agent_settled(nullptr));
  CHECK(popsgd_agent_counter(nullptr) == 0);
  CHECK(popsgd_agent_distance(nullptr) == 0);
  popsgd_agent_metrics(nullptr, &metrics, sizeof metrics);
  CHECK(metrics.steps == 7);
  CHECK(loss == 7);
}

TEST_CASE("an agent says what is wrong with a frame, its room, its memory or its store") {
  Device<popsgd_learner> device;
  REQUIRE(device.begin() == POPSGD_OK);
  popsgd_agent* const agent = device.agent;
  alignas(8) std::array<std::byte, 1208> frame{};
  popsgd_outgoing out{};
  CHECK(popsgd_agent_step(agent, nullptr) == POPSGD_OK);
  popsgd_agent_metrics(agent, nullptr, sizeof(popsgd_metrics));

  CHECK(popsgd_agent_send(agent, frame.data(), 1200, 0, &out) == POPSGD_OK);
  CHECK(popsgd_agent_send(agent, frame.data(), 1199, 0, &out) == POPSGD_BUFFER_TOO_SMALL);
  CHECK(popsgd_agent_send(agent, frame.data() + 4, 1200, 0, &out) == POPSGD_MISALIGNED_FRAME);
  CHECK(popsgd_agent_send(agent, nullptr, 1200, 0, &out) == POPSGD_NULL_POINTER);
  CHECK(popsgd_agent_send(agent, frame.data(), 1200, 0, nullptr) == POPSGD_NULL_POINTER);

  CHECK(popsgd_agent_receive(agent, 1, frame.data(), 100, 0) == POPSGD_OK);  // and dropped
  CHECK(popsgd_agent_receive(agent, 1, nullptr, 0, 0) == POPSGD_OK);
  CHECK(popsgd_agent_receive(agent, 1, nullptr, 1, 0) == POPSGD_NULL_POINTER);
  CHECK(popsgd_agent_receive(agent, 1, frame.data() + 1, 100, 0) == POPSGD_MISALIGNED_FRAME);
  popsgd_metrics metrics;
  popsgd_agent_metrics(agent, &metrics, sizeof metrics);
  CHECK(metrics.dropped[POPSGD_DROP_DAMAGED] == 2);
  CHECK(metrics.frames_received == 2);

  const std::size_t size = popsgd_side_step_size(kLength, POPSGD_FLOAT32);
  CHECK(popsgd_agent_begin_step(agent, nullptr, size) == POPSGD_NULL_POINTER);
  CHECK(popsgd_agent_begin_step(agent, frame.data() + 4, size) == POPSGD_SCRATCH_TOO_SMALL);
  CHECK(popsgd_agent_begin_step(agent, frame.data(), size - 1) == POPSGD_SCRATCH_TOO_SMALL);
  CHECK(popsgd_agent_work(agent, nullptr) == POPSGD_NULL_POINTER);
  CHECK(popsgd_agent_end_step(agent) == POPSGD_NULL_POINTER);
  CHECK(popsgd_agent_begin_step(agent, frame.data(), size) == POPSGD_OK);
  CHECK(popsgd_agent_begin_step(agent, frame.data(), size) == POPSGD_BUSY);
  CHECK(popsgd_agent_work(agent, nullptr) == POPSGD_OK);
  CHECK(popsgd_agent_end_step(agent) == POPSGD_OK);
  CHECK(popsgd_agent_end_step(agent) == POPSGD_NULL_POINTER);

  MemoryStore memory(8192);
  CHECK(popsgd_agent_save(agent, nullptr) == POPSGD_NULL_POINTER);
  CHECK(popsgd_agent_stage(agent, nullptr) == POPSGD_NULL_POINTER);
  CHECK(popsgd_agent_restore(agent, nullptr, 0) == POPSGD_NULL_POINTER);
  const auto without = [&](auto change) {
    popsgd_store store = in_c(memory);
    change(store);
    CHECK(popsgd_agent_save(agent, &store) == POPSGD_NO_FUNCTION);
    CHECK(popsgd_agent_stage(agent, &store) == POPSGD_NO_FUNCTION);
    CHECK(popsgd_agent_restore(agent, &store, 0) == POPSGD_NO_FUNCTION);
  };
  without([](popsgd_store& s) { s.read = nullptr; });
  without([](popsgd_store& s) { s.write = nullptr; });
  without([](popsgd_store& s) { s.erase = nullptr; });
  without([](popsgd_store& s) { s.sync = nullptr; });
}

TEST_CASE_TEMPLATE("where there is nothing to learn from the model stays, and the loss says so", Learner,
                   popsgd_learner, popsgd_int16_learner, popsgd_int8_learner) {
  Device<Learner> device;
  REQUIRE(device.begin() == POPSGD_OK);
  float loss = 0;
  CHECK(popsgd_agent_step(device.agent, &loss) == POPSGD_OK);
  CHECK(loss == 5);
  const auto before = device.model;
  device.batch = nullptr;
  CHECK(popsgd_agent_step(device.agent, &loss) == POPSGD_OK);
  CHECK(!(loss < 32767));  // not a number; of integers the largest
  CHECK(device.model == before);
}

TEST_CASE("a gradient that needs memory of its own is zero where there is nothing to learn from") {
  Device<popsgd_learner> device;
  device.learner.gradient.in_place = false;
  device.scratch.fill(std::numeric_limits<float>::quiet_NaN());
  device.learner.scratch = device.scratch.data();
  device.learner.scratch_count = kLength;
  device.batch = nullptr;
  REQUIRE(device.begin() == POPSGD_OK);
  float loss = 0;
  CHECK(popsgd_agent_step(device.agent, &loss) == POPSGD_OK);
  CHECK(std::isnan(loss));
  CHECK(device.model == std::array<float, kLength>{1, 2, 3});
}

}  // namespace
