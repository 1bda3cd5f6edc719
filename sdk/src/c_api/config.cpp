#include "c_api/config.h"

#include "c_api/pointers.h"
#include "c_api/privacy.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace popsgd::c_api {
namespace {

using Shape = Schedule::Shape;

static_assert(POPSGD_CONSTANT == static_cast<int>(Shape::constant));
static_assert(POPSGD_INVERSE == static_cast<int>(Shape::inverse));
static_assert(POPSGD_INVERSE_SQRT == static_cast<int>(Shape::inverse_sqrt));
static_assert(POPSGD_PIECEWISE == static_cast<int>(Shape::piecewise));
static_assert(POPSGD_BREAKPOINTS == Schedule::kMaxBreakpoints);
static_assert(POPSGD_GOSSIP == static_cast<int>(ScheduleCounter::gossip));
static_assert(POPSGD_OWN == static_cast<int>(ScheduleCounter::own));
static_assert(POPSGD_NON_BLOCKING == static_cast<int>(Averaging::non_blocking));
static_assert(POPSGD_BLOCKING == static_cast<int>(Averaging::blocking));
static_assert(POPSGD_RAW == static_cast<int>(Width::raw));
static_assert(POPSGD_AUTOMATIC == static_cast<int>(Width::automatic));
static_assert(POPSGD_FIXED == static_cast<int>(Width::fixed));
static_assert(std::is_trivially_copyable_v<popsgd_agent_config>);

// What a version had that ended so far from the beginning, with what fills it up.
constexpr std::size_t filled(std::size_t end) {
  constexpr std::size_t kAlignment = alignof(popsgd_agent_config);
  return (end + kAlignment - 1) / kAlignment * kAlignment;
}

// Versions ended with the observer, with privacy and with the interval. Later fields may be missing: they then keep their defaults.
constexpr std::size_t kObserved = filled(offsetof(popsgd_agent_config, observer) + sizeof(popsgd_observer));
constexpr std::size_t kPrivate = filled(offsetof(popsgd_agent_config, privacy) + sizeof(popsgd_privacy*));

bool known(std::size_t size) {
  return size == kObserved || size == kPrivate || size == sizeof(popsgd_agent_config);
}

popsgd_schedule written(const Schedule& from) {
  popsgd_schedule to{};
  to.shape = static_cast<popsgd_shape>(from.shape);
  to.eta = from.eta;
  to.horizon = from.horizon;
  to.breakpoint_count = from.breakpoint_count;
  std::ranges::transform(from.breakpoints, to.breakpoints, [](const Schedule::Breakpoint& point) {
    return popsgd_breakpoint{point.steps, point.factor};
  });
  to.settle = from.settle;
  return to;
}

Schedule read(const popsgd_schedule& from) {
  Schedule to{.shape = static_cast<Shape>(from.shape),
              .eta = from.eta,
              .horizon = from.horizon,
              .breakpoint_count = from.breakpoint_count,
              .settle = from.settle};
  std::ranges::transform(from.breakpoints, to.breakpoints.begin(), [](const popsgd_breakpoint& point) {
    return Schedule::Breakpoint{point.steps, point.factor};
  });
  return to;
}

popsgd_timing written(const Timing& from) {
  return {from.first_timeout, from.least_timeout, from.most_timeout, from.offer,
          from.idle,          from.in_doubt,      from.busy,         from.slowest};
}

Timing read(const popsgd_timing& from) {
  return {from.first_timeout, from.least_timeout, from.most_timeout, from.offer,
          from.idle,          from.in_doubt,      from.busy,         from.slowest};
}

popsgd_agent_config defaults() {
  const AgentConfig from{};
  popsgd_agent_config to{};
  to.fresh = from.fresh;
  to.seed = from.seed;
  to.fingerprint = from.fingerprint;
  to.weight_decay = from.sgd.weight_decay;
  to.momentum = from.sgd.momentum;
  to.schedule = written(from.schedule);
  to.schedule_counter = static_cast<popsgd_counter>(from.schedule_counter);
  to.averaging = static_cast<popsgd_averaging>(from.averaging);
  to.local_steps = from.local_steps;
  to.mean_wait = from.mean_wait;
  to.block_length = from.block_length;
  to.largest_frame = from.largest_frame;
  to.window = from.window;
  to.peers = from.peers;
  to.finished = from.finished;
  to.guarding = {from.guarding.limit, from.guarding.gate};
  to.quantise = {static_cast<popsgd_width>(from.quantise.width), from.quantise.bits, from.quantise.rotate};
  to.timing = written(from.timing);
  to.peer_interval = from.peer_interval;
  return to;
}

bool choices_exist(const popsgd_agent_config& config) {
  return config.schedule.shape <= POPSGD_PIECEWISE && config.schedule_counter <= POPSGD_OWN &&
         config.averaging <= POPSGD_BLOCKING && config.quantise.width <= POPSGD_FIXED;
}

}  // namespace

Result<AgentConfig> read(const popsgd_agent_config* config) {
  if (config == nullptr) return Status::null_pointer;
  if (!known(config->size)) return Status::invalid_size;
  popsgd_agent_config from = defaults();
  std::memcpy(&from, config, config->size);
  if (!choices_exist(from)) return Status::invalid_size;
  return AgentConfig{
      .seed = from.seed,
      .fingerprint = from.fingerprint,
      .sgd = {.weight_decay = from.weight_decay, .momentum = from.momentum},
      .schedule = read(from.schedule),
      .schedule_counter = static_cast<ScheduleCounter>(from.schedule_counter),
      .averaging = static_cast<Averaging>(from.averaging),
      .local_steps = from.local_steps,
      .fresh = from.fresh,
      .mean_wait = from.mean_wait,
      .peer_interval = from.peer_interval,
      .block_length = from.block_length,
      .largest_frame = from.largest_frame,
      .window = from.window,
      .peers = from.peers,
      .finished = from.finished,
      .guarding = {.limit = from.guarding.limit, .gate = from.guarding.gate},
      .quantise = {.width = static_cast<Width>(from.quantise.width),
                   .bits = from.quantise.bits,
                   .rotate = from.quantise.rotate},
      .timing = read(from.timing),
      .privacy = from.privacy == nullptr ? nullptr : &from.privacy->privacy,
  };
}

}  // namespace popsgd::c_api

popsgd_status popsgd_agent_config_init(popsgd_agent_config* config, size_t size) {
  using namespace popsgd;
  if (config == nullptr) return c_api::code(Status::null_pointer);
  if (!c_api::known(size)) return c_api::code(Status::invalid_size);
  popsgd_agent_config whole = c_api::defaults();
  whole.size = static_cast<std::uint32_t>(size);
  std::memcpy(config, &whole, size);
  return POPSGD_OK;
}
