// An agent of C and one of C++ behind one set of functions, which say what has become of them as text. Their model pulls every
// parameter to a target, by a gradient of the caller's own.
#pragma once

#include "memory_store.h"

#include <popsgd/agent.h>
#include <popsgd/popsgd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

namespace popsgd::test {

inline constexpr std::size_t kParameters = 40;
inline constexpr std::array<Tensor, 2> kLayout{{{30, 9}, {10, 7}}};
inline constexpr std::array<popsgd_tensor, 2> kLayoutInC{{{30, 9}, {10, 7}}};

/// The configuration's fields that the tests change, in C.
inline popsgd_agent_config in_c(const AgentConfig& from) {
  popsgd_agent_config config;
  popsgd_agent_config_init(&config, sizeof config);
  config.seed = from.seed;
  config.fingerprint = from.fingerprint;
  config.fresh = from.fresh;
  config.momentum = from.sgd.momentum;
  config.averaging = static_cast<popsgd_averaging>(from.averaging);
  config.local_steps = from.local_steps;
  config.mean_wait = from.mean_wait;
  config.block_length = from.block_length;
  config.largest_frame = from.largest_frame;
  config.guarding = {from.guarding.limit, from.guarding.gate};
  config.quantise = {static_cast<popsgd_width>(from.quantise.width), from.quantise.bits,
                     from.quantise.rotate};
  return config;
}

inline MemoryStore& store_of(void* context) {
  return *static_cast<MemoryStore*>(context);
}
inline popsgd_store in_c(MemoryStore& store) {
  return {store.slot_size(),
          [](void* s, unsigned slot, std::size_t offset, void* into, std::size_t length) {
            return static_cast<popsgd_status>(
                store_of(s).read(slot, offset, {static_cast<std::byte*>(into), length}));
          },
          [](void* s, unsigned slot, std::size_t offset, const void* page) {
            return static_cast<popsgd_status>(
                store_of(s).write(slot, offset, {static_cast<const std::byte*>(page), POPSGD_PAGE}));
          },
          [](void* s, unsigned slot) { return static_cast<popsgd_status>(store_of(s).erase(slot)); },
          [](void* s) { return static_cast<popsgd_status>(store_of(s).sync()); },
          &store};
}

inline float pull(const float* at, float target, float keep, float scale, float* into) {
  float loss = 0;
  for (std::size_t k = 0; k < kParameters; ++k) {
    const float error = at[k] - target;
    into[k] = (keep == 0 ? 0 : keep * into[k]) + scale * error;
    loss += error * error / 2;
  }
  return loss;
}

/// By a few units that the noise says; so it tells that the noise is the same, too.
template <typename Weight>
std::int32_t pull(Weight* x, float target, std::uint32_t noise, std::uint64_t& saturated) {
  const auto aim = static_cast<Weight>(target);
  for (std::size_t k = 0; k < kParameters; ++k)
    x[k] = static_cast<Weight>(x[k] + (x[k] < aim ? 1 : -1) * static_cast<int>(noise >> k % 30 & 3U));
  ++saturated;
  return static_cast<std::int32_t>(noise & 0xFFFFU);
}

/// What both have. Weight: float, std::int16_t or std::int8_t.
template <typename Weight>
struct AgentParts {
  static constexpr bool kFloat = std::is_same_v<Weight, float>;
  static constexpr Numeric kNumeric = kFloat                ? Numeric::float32
                                      : sizeof(Weight) == 2 ? Numeric::int16
                                                            : Numeric::int8;
  float target;
  std::vector<Weight> x;
  std::vector<float> velocity{};
  std::vector<float> scratch = std::vector<float>(kParameters);
  std::vector<std::uint64_t> memory{};
  std::vector<std::uint64_t> aside =
      std::vector<std::uint64_t>(SideStep::size(kParameters, kNumeric) / sizeof(std::uint64_t));
  std::ostringstream told{};  ///< by its observer

  AgentParts(Weight start, float aim) : target(aim), x(kParameters, start) {}
  AgentParts(const AgentParts&) = delete;
};

template <typename Weight>
class AgentInC : public AgentParts<Weight> {
  using Parts = AgentParts<Weight>;

 public:
  AgentInC(const AgentConfig& cpp, Weight start, float aim) : Parts(start, aim) {
    popsgd_agent_config config = in_c(cpp);
    config.observer = {[](void* self, const popsgd_applied* a) {
                         static_cast<AgentInC*>(self)->told
                             << a->exchange << ' ' << a->block << ' ' << a->offset << ' ' << a->length << ' '
                             << a->initiator << a->last << ' ' << a->weight << ' ' << +a->numeric
                             << +a->partner << a->lattice << ' ' << a->saturated << '\n';
                       },
                       this};
    constexpr auto kKind = static_cast<popsgd_numeric>(Parts::kNumeric);
    if (cpp.sgd.momentum > 0) this->velocity.resize(kParameters);
    this->memory.resize((popsgd_agent_size(&config, kParameters, kLayout.size(), kKind) + 7) / 8);
    init(config);
    this->told << "slot " << popsgd_agent_checkpoint_size(&config, kParameters, kLayout.size(), kKind)
               << '\n';
  }

  int step(float& loss) { return popsgd_agent_step(agent, &loss); }
  int begin_step() { return popsgd_agent_begin_step(agent, this->aside.data(), 8 * this->aside.size()); }
  float work() {
    float loss = 0;
    popsgd_agent_work(agent, &loss);
    return loss;
  }
  void end_step() { popsgd_agent_end_step(agent); }
  int add_peer(std::uint32_t peer, std::uint16_t mtu) {
    return popsgd_agent_add_peer(agent, peer, mtu, false);
  }
  void remove_peer(std::uint32_t peer) { popsgd_agent_remove_peer(agent, peer); }
  void lost_peer(std::uint32_t peer, std::uint32_t now) { popsgd_agent_lost_peer(agent, peer, now); }
  int meet(std::uint32_t peer, std::uint32_t now) { return popsgd_agent_meet(agent, peer, now); }
  void receive(std::uint32_t from, std::span<const std::byte> frame, std::uint32_t now) {
    popsgd_agent_receive(agent, from, frame.data(), frame.size(), now);
  }
  std::size_t send(std::span<std::byte> into, std::uint32_t now) {
    popsgd_outgoing out{};
    popsgd_agent_send(agent, into.data(), into.size(), now, &out);
    return out.size;
  }
  std::uint32_t deadline(std::uint32_t now) { return popsgd_agent_deadline(agent, now); }
  int save(MemoryStore& store) {
    const popsgd_store functions = in_c(store);
    return popsgd_agent_save(agent, &functions);
  }
  int restore(MemoryStore& store, std::uint32_t now) {
    const popsgd_store functions = in_c(store);
    return popsgd_agent_restore(agent, &functions, now);
  }
  std::string state() {
    popsgd_metrics m;
    popsgd_agent_metrics(agent, &m, sizeof m);
    std::ostringstream text;
    text << popsgd_agent_exchanging(agent) << popsgd_agent_fresh(agent) << popsgd_agent_settled(agent) << ' '
         << popsgd_agent_counter(agent) << ' ' << popsgd_agent_distance(agent) << ':';
    for (const std::uint64_t count :
         {m.steps, m.offers, m.begun, m.completed, m.cut_short, m.blocks_applied, m.retries, m.saturated,
          m.saturated_in_steps, m.in_doubt, m.retransmissions, m.frames_sent, m.frames_received, m.bytes_sent,
          m.bytes_received})
      text << ' ' << count;
    for (const std::uint64_t count : m.dropped) text << ' ' << count;
    for (const std::uint64_t count : m.refused) text << ' ' << count;
    return text.str();
  }

  popsgd_agent* agent = nullptr;

 private:
  void init(const popsgd_agent_config& config);
};

template <>
inline void AgentInC<float>::init(const popsgd_agent_config& config) {
  static const popsgd_batch kBatch{};
  popsgd_learner learner{};
  learner.model = x.data();
  learner.layout = kLayoutInC.data();
  learner.tensors = kLayoutInC.size();
  learner.gradient.function = [](const void* self, const float* at, const popsgd_batch* batch, float keep,
                                 float scale, float* into, float*, std::size_t) {
    return batch == &kBatch ? pull(at, static_cast<const AgentInC*>(self)->target, keep, scale, into) : -1;
  };
  learner.gradient.context = this;
  learner.gradient.parameters = kParameters;
  learner.source = {[](void*) { return &kBatch; }, nullptr};
  learner.velocity = velocity.data();
  learner.scratch = scratch.data();
  learner.scratch_count = scratch.size();
  popsgd_agent_init_float(&agent, &config, &learner, memory.data(), 8 * memory.size(), 0);
}

template <typename Weight>
void AgentInC<Weight>::init(const popsgd_agent_config& config) {
  static const popsgd_fixed_batch kBatch{};
  std::conditional_t<sizeof(Weight) == 2, popsgd_int16_learner, popsgd_int8_learner> learner{};
  learner.model = this->x.data();
  learner.layout = kLayoutInC.data();
  learner.tensors = kLayoutInC.size();
  learner.gradient.function = [](const void* self, Weight* at, const popsgd_fixed_batch* batch,
                                 popsgd_fixed_rate, popsgd_random* noise, std::int32_t*, std::size_t,
                                 std::uint64_t* saturated) {
    if (batch != &kBatch) return std::int32_t{-1};
    return pull(at, static_cast<const AgentInC*>(self)->target, popsgd_random_bits(noise), *saturated);
  };
  learner.gradient.context = this;
  learner.gradient.parameters = kParameters;
  learner.source = {[](void*) { return &kBatch; }, nullptr};
  popsgd_fixed_schedule_init(&learner.schedule);
  if constexpr (sizeof(Weight) == 2)
    popsgd_agent_init_int16(&agent, &config, &learner, this->memory.data(), 8 * this->memory.size(), 0);
  else
    popsgd_agent_init_int8(&agent, &config, &learner, this->memory.data(), 8 * this->memory.size(), 0);
}

template <typename Weight>
class AgentInCpp : public AgentParts<Weight> {
  using Parts = AgentParts<Weight>;

 public:
  AgentInCpp(AgentConfig config, Weight start, float aim) : Parts(start, aim) {
    config.observer = {[](void* self, const Applied& a) noexcept {
                         static_cast<AgentInCpp*>(self)->told
                             << a.exchange << ' ' << a.block << ' ' << a.offset << ' ' << a.length << ' '
                             << a.initiator << a.last << ' ' << a.weight << ' ' << static_cast<int>(a.numeric)
                             << static_cast<int>(a.partner) << a.lattice << ' ' << a.saturated << '\n';
                       },
                       this};
    if (config.sgd.momentum > 0) this->velocity.resize(kParameters);
    this->memory.resize((Agent::workspace_size(config, kParameters, kLayout.size(), Parts::kNumeric) + 7) /
                        8);
    init(config);
    this->told << "slot " << Agent::checkpoint_size(config, kParameters, kLayout.size(), Parts::kNumeric)
               << '\n';
  }

  int step(float& loss) {
    const auto result = agent.step();
    if (result.ok()) loss = result.value();
    return static_cast<int>(result.status());
  }
  int begin_step() {
    side = SideStep(std::as_writable_bytes(std::span(this->aside)));
    return static_cast<int>(agent.begin_step(side));
  }
  float work() { return agent.work(side); }
  void end_step() { agent.end_step(side); }
  int add_peer(std::uint32_t peer, std::uint16_t mtu) {
    return static_cast<int>(agent.add_peer(PeerId{peer}, {.mtu = mtu}));
  }
  void remove_peer(std::uint32_t peer) { agent.remove_peer(PeerId{peer}); }
  void lost_peer(std::uint32_t peer, std::uint32_t now) { agent.lost_peer(PeerId{peer}, Time(now)); }
  int meet(std::uint32_t peer, std::uint32_t now) {
    return static_cast<int>(agent.meet(PeerId{peer}, Time(now)));
  }
  void receive(std::uint32_t from, std::span<const std::byte> frame, std::uint32_t now) {
    agent.receive(PeerId{from}, frame, Time(now));
  }
  std::size_t send(std::span<std::byte> into, std::uint32_t now) {
    const auto sent = agent.send(into, Time(now));
    return sent ? sent->size : 0;
  }
  std::uint32_t deadline(std::uint32_t now) { return agent.deadline(Time(now)).milliseconds(); }
  int save(MemoryStore& store) { return static_cast<int>(agent.save(store)); }
  int restore(MemoryStore& store, std::uint32_t now) {
    return static_cast<int>(agent.restore(store, Time(now)));
  }
  std::string state() {
    const AgentMetrics& m = agent.metrics();
    std::ostringstream text;
    text << agent.exchanging() << agent.fresh() << agent.settled() << ' ' << agent.counter().bits() << ' '
         << agent.distance() << ':';
    for (const std::uint64_t count :
         {m.steps, m.offers, m.begun, m.completed, m.cut_short, m.blocks_applied, m.retries, m.saturated,
          m.saturated_in_steps, m.in_doubt, m.retransmissions, m.frames_sent, m.frames_received, m.bytes_sent,
          m.bytes_received})
      text << ' ' << count;
    for (const std::uint64_t count : m.dropped) text << ' ' << count;
    for (const std::uint64_t count : m.refused) text << ' ' << count;
    return text.str();
  }

  Agent agent{};
  SideStep side{std::span<std::byte>{}};

 private:
  void init(const AgentConfig& config) {
    const auto workspace = std::as_writable_bytes(std::span(this->memory));
    if constexpr (Parts::kFloat) {
      static const Batch kBatch{};
      const Gradient gradient{.function =
                                  [](const void* self, ConstParams at, const Batch&, float keep, float scale,
                                     Params into, Scratch) noexcept {
                                    return pull(at.data(), static_cast<const AgentInCpp*>(self)->target, keep,
                                                scale, into.data());
                                  },
                              .context = this,
                              .parameters = kParameters};
      status = agent.init(config, Model(this->x, kLayout), gradient,
                          {[](void*) noexcept -> const Batch& { return kBatch; }, nullptr}, this->velocity,
                          this->scratch, workspace, Time(0));
    } else {
      static const FixedBatch kBatch{};
      const FixedGradient<Weight> gradient{
          .function =
              [](const void* self, std::span<Weight> at, const FixedBatch&, FixedRate, Random& noise,
                 std::span<std::int32_t>, std::uint64_t& saturated) noexcept {
                return pull(at.data(), static_cast<const AgentInCpp*>(self)->target, noise.bits(), saturated);
              },
          .context = this,
          .parameters = kParameters};
      status = agent.init(config, this->x, kLayout, gradient,
                          {[](void*) noexcept -> const FixedBatch& { return kBatch; }, nullptr},
                          FixedSchedule{}, {}, workspace, Time(0));
    }
  }

 public:
  Status status = Status::ok;
};

}  // namespace popsgd::test
