// Agents with models of integers of either kind.
#pragma once

#include "c_api/agent.h"
#include "c_api/fixed.h"
#include "c_api/random.h"

#include <popsgd/c/fixed.h>

#include <limits>

namespace popsgd::c_api {

inline const FixedBatch& next_fixed(popsgd_fixed_batch_source source, const popsgd_fixed_batch*& batch) {
  static constexpr FixedBatch kPast{};
  batch = source.function(source.context);
  return kPast;
}

/// Callbacks: where in the agent those of this kind lie.
template <typename Weight, auto Member, typename Learner>
Status begin_fixed(popsgd_agent& agent, const AgentConfig& config, const Learner& learner,
                   std::span<std::byte> workspace, Time now) {
  using Held = std::remove_reference_t<decltype(agent.*Member)>;
  Held& callbacks = agent.*Member;
  std::construct_at(&callbacks, Held{learner.gradient, learner.source, nullptr});

  const auto source = [](void* context) noexcept -> const FixedBatch& {
    auto& held = *static_cast<Held*>(context);
    return next_fixed(held.source, held.batch);
  };
  const auto step = [](const void* context, std::span<Weight> x, const FixedBatch&, FixedRate rate,
                       Random& noise, std::span<std::int32_t> scratch, std::uint64_t& saturated) noexcept {
    const auto& held = *static_cast<const Held*>(context);
    if (held.batch == nullptr) return std::numeric_limits<std::int32_t>::max();
    return held.gradient.function(held.gradient.context, x.data(), held.batch, {rate.mantissa, rate.shift},
                                  handle(noise), scratch.data(), scratch.size(), &saturated);
  };
  if (const Status status = examine(learner, learner.gradient.scratch); status != Status::ok) return status;
  const auto schedule = read(learner.schedule);
  if (!schedule.ok()) return schedule.status();
  return agent.agent.init(config, span_of(learner.model, learner.gradient.parameters),
                          as<Tensor>(learner.layout, learner.tensors),
                          {.function = step,
                           .context = &callbacks,
                           .parameters = learner.gradient.parameters,
                           .scratch = learner.gradient.scratch},
                          {source, &callbacks}, schedule.value(),
                          span_of(learner.scratch, learner.scratch_count), workspace, now);
}

/// popsgd_agent_init_...() of one kind.
template <typename Weight, auto Member, typename Learner>
popsgd_status init_fixed(popsgd_agent** agent, const popsgd_agent_config* config, const Learner* learner,
                         void* memory, std::size_t size, popsgd_time now) {
  return code(begin(agent, config, memory, size,
                    [&](popsgd_agent& self, const AgentConfig& read, std::span<std::byte> workspace) {
                      if (learner == nullptr) return Status::null_pointer;
                      return begin_fixed<Weight, Member>(self, read, *learner, workspace, Time(now));
                    }));
}

}  // namespace popsgd::c_api
