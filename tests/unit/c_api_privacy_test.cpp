// Privacy of an agent of C, against that of C++, and against whatever a caller in C may give.
#include "c_agent.h"
#include "seeded_entropy.h"

#include <popsgd/privacy.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using popsgd::test::in_c;
using popsgd::test::MemoryStore;
using popsgd::test::SeededEntropy;

popsgd_entropy in_c(SeededEntropy& entropy) {
  return {[](void* self, void* into, std::size_t length) {
            return static_cast<popsgd_status>(
                static_cast<SeededEntropy*>(self)->fill({static_cast<std::byte*>(into), length}));
          },
          &entropy};
}

popsgd_privacy_settings defaults() {
  popsgd_privacy_settings settings;
  popsgd_privacy_settings_init(&settings);
  return settings;
}

// A float model of kParameters with privacy; its steps add 1.
class PrivateInC {
 public:
  explicit PrivateInC(const popsgd_privacy_settings& settings) {
    const popsgd_entropy from = in_c(entropy);
    REQUIRE(popsgd_privacy_init(&privacy, &settings, &from, own.data(), 8 * own.size()) == POPSGD_OK);
    popsgd_agent_config_init(&config, sizeof config);
    config.fresh = false;
    config.mean_wait = 0;
    config.privacy = privacy;
    learner.model = x.data();
    learner.gradient.function = [](const void*, const float*, const popsgd_batch*, float, float, float* into,
                                   float*, std::size_t) {
      for (std::size_t k = 0; k < test::kParameters; ++k) into[k] += 1;
      return 0.0F;
    };
    learner.gradient.parameters = test::kParameters;
    learner.gradient.in_place = true;
    learner.source.function = [](void*) {
      static const popsgd_batch kBatch{};
      return &kBatch;
    };
    memory.resize(popsgd_agent_size(&config, test::kParameters, 1, POPSGD_FLOAT32) / 8 + 1);
    REQUIRE(popsgd_agent_init_float(&agent, &config, &learner, memory.data(), 8 * memory.size(), 0) ==
            POPSGD_OK);
    REQUIRE(popsgd_agent_add_peer(agent, 1, 1200, true) == POPSGD_OK);
  }

  SeededEntropy entropy{3};
  std::vector<std::uint64_t> own = std::vector<std::uint64_t>(popsgd_privacy_size() / 8);
  popsgd_privacy* privacy = nullptr;
  popsgd_agent_config config{};
  std::array<float, test::kParameters> x{};
  popsgd_learner learner{};
  std::vector<std::uint64_t> memory{};
  popsgd_agent* agent = nullptr;
};

TEST_CASE("C: the defaults of privacy, and what releases cost, are those of C++") {
  const popsgd_privacy_settings settings = defaults();
  const Privacy::Settings same;
  CHECK(settings.clip == same.clip);
  CHECK(settings.noise == same.noise);
  CHECK(settings.epsilon == same.epsilon);
  CHECK(settings.delta == same.delta);
  CHECK(settings.ahead == same.ahead);
  CHECK(popsgd_epsilon_after(7, 20, 1e-5) == accountant::epsilon_after(7, 20, 1e-5));
}

TEST_CASE("C: whatever privacy is given, the worst that comes of it is a status") {
  SeededEntropy entropy(1);
  popsgd_entropy from = in_c(entropy);
  popsgd_privacy_settings settings = defaults();
  std::vector<std::uint64_t> memory(popsgd_privacy_size() / 8 + 1);
  popsgd_privacy* privacy = nullptr;
  const auto init = [&](void* at, std::size_t size) {
    return popsgd_privacy_init(&privacy, &settings, &from, at, size);
  };
  const std::size_t size = popsgd_privacy_size();
  CHECK(init(memory.data(), size) == POPSGD_OK);
  CHECK(privacy != nullptr);
  CHECK(init(memory.data(), size - 1) == POPSGD_SCRATCH_TOO_SMALL);
  CHECK(privacy == nullptr);
  CHECK(init(reinterpret_cast<std::byte*>(memory.data()) + 4, size) == POPSGD_SCRATCH_TOO_SMALL);
  CHECK(init(nullptr, size) == POPSGD_NULL_POINTER);
  CHECK(popsgd_privacy_init(nullptr, &settings, &from, memory.data(), size) == POPSGD_NULL_POINTER);
  CHECK(popsgd_privacy_init(&privacy, nullptr, &from, memory.data(), size) == POPSGD_NULL_POINTER);
  CHECK(popsgd_privacy_init(&privacy, &settings, nullptr, memory.data(), size) == POPSGD_NULL_POINTER);
  settings.noise = std::nanf("");
  CHECK(init(memory.data(), size) == POPSGD_INVALID_RATE);
  CHECK(privacy == nullptr);
  settings = defaults();
  from.fill = nullptr;
  CHECK(init(memory.data(), size) == POPSGD_NO_FUNCTION);

  popsgd_privacy_settings_init(nullptr);
  popsgd_privacy_close(nullptr);
  CHECK(popsgd_privacy_epsilon(nullptr) == 0);
  CHECK(popsgd_privacy_left(nullptr) == 0);
  CHECK_FALSE(popsgd_privacy_wants_save(nullptr));
  CHECK(popsgd_privacy_releases(nullptr) == 0);
  CHECK(popsgd_privacy_withheld(nullptr) == 0);
}

TEST_CASE(
    "C: a private agent meets nobody before it is saved, and a restart takes what that paid for as spent") {
  popsgd_privacy_settings settings = defaults();
  settings.ahead = 4;
  PrivateInC device(settings);
  MemoryStore store(static_cast<std::size_t>(
      popsgd_agent_checkpoint_size(&device.config, test::kParameters, 1, POPSGD_FLOAT32)));
  const popsgd_store functions = in_c(store);
  REQUIRE(popsgd_agent_step(device.agent, nullptr) == POPSGD_OK);
  CHECK(popsgd_privacy_wants_save(device.privacy));
  CHECK(popsgd_agent_meet(device.agent, 1, 0) == POPSGD_BUDGET_SPENT);
  CHECK(popsgd_privacy_withheld(device.privacy) == 1);
  REQUIRE(popsgd_agent_save(device.agent, &functions) == POPSGD_OK);
  CHECK_FALSE(popsgd_privacy_wants_save(device.privacy));
  CHECK(popsgd_agent_meet(device.agent, 1, 0) == POPSGD_OK);
  CHECK(popsgd_privacy_epsilon(device.privacy) == 0);

  PrivateInC again(settings);
  REQUIRE(popsgd_agent_restore(again.agent, &functions, 0) == POPSGD_OK);
  CHECK(again.x[0] == 1);
  CHECK(popsgd_privacy_epsilon(again.privacy) ==
        accountant::epsilon_after(4, settings.noise, settings.delta));
  CHECK(popsgd_privacy_releases(again.privacy) == 0);
  CHECK(popsgd_agent_meet(again.agent, 1, 0) == POPSGD_BUDGET_SPENT);
  popsgd_privacy_close(again.privacy);
  REQUIRE(popsgd_agent_save(again.agent, &functions) == POPSGD_OK);
  CHECK(popsgd_agent_meet(again.agent, 1, 0) == POPSGD_BUDGET_SPENT);

  settings.ahead = 0;  // no room for its account
  PrivateInC other(settings);
  MemoryStore blank(store.slot_size());
  const popsgd_store empty = in_c(blank);
  other.config.privacy = nullptr;
  REQUIRE(popsgd_agent_init_float(&other.agent, &other.config, &other.learner, other.memory.data(),
                                  8 * other.memory.size(), 0) == POPSGD_OK);
  REQUIRE(popsgd_agent_save(other.agent, &empty) == POPSGD_OK);
  PrivateInC refused(settings);
  CHECK(popsgd_agent_restore(refused.agent, &empty, 0) == POPSGD_CHECKPOINT_UNACCOUNTED);
  CHECK(popsgd_agent_meet(refused.agent, 1, 0) == POPSGD_BUDGET_SPENT);
}

TEST_CASE("C: a checkpoint that is staged pays for nothing before it is said to be durable") {
  PrivateInC device(defaults());
  MemoryStore store(static_cast<std::size_t>(
      popsgd_agent_checkpoint_size(&device.config, test::kParameters, 1, POPSGD_FLOAT32)));
  const popsgd_store functions = in_c(store);
  REQUIRE(popsgd_agent_step(device.agent, nullptr) == POPSGD_OK);
  REQUIRE(popsgd_agent_stage(device.agent, &functions) == POPSGD_OK);
  CHECK(popsgd_agent_meet(device.agent, 1, 0) == POPSGD_BUDGET_SPENT);
  popsgd_agent_saved(device.agent);
  CHECK(popsgd_agent_meet(device.agent, 1, 0) == POPSGD_OK);
}

TEST_CASE("C: models of integers are refused privacy") {
  PrivateInC device(defaults());
  std::array<std::int8_t, 3> model{};
  constexpr std::array<popsgd_tensor, 1> kWhole{{{3, 4}}};
  popsgd_int8_learner learner{};
  learner.model = model.data();
  learner.layout = kWhole.data();
  learner.tensors = kWhole.size();
  learner.gradient.function = [](const void*, std::int8_t*, const popsgd_fixed_batch*, popsgd_fixed_rate,
                                 popsgd_random*, std::int32_t*, std::size_t,
                                 std::uint64_t*) { return std::int32_t{0}; };
  learner.gradient.parameters = model.size();
  learner.source.function = [](void*) -> const popsgd_fixed_batch* { return nullptr; };
  popsgd_fixed_schedule_init(&learner.schedule);
  std::vector<std::uint64_t> memory(4096);
  popsgd_agent* agent = nullptr;
  CHECK(popsgd_agent_init_int8(&agent, &device.config, &learner, memory.data(), 8 * memory.size(), 0) ==
        POPSGD_PRIVATE_INTEGERS);
  CHECK(agent == nullptr);
}

}  // namespace
