#include "c_api/agent.h"
#include "models/no_gradient.h"

namespace popsgd::c_api {
namespace {

const Batch& next(void* context) noexcept {
  static constexpr Batch kPast{};
  auto& callbacks = *static_cast<FloatCallbacks*>(context);
  callbacks.batch = callbacks.source.function(callbacks.source.context);
  return kPast;
}

float gradient(const void* context, ConstParams at, const Batch&, float keep, float scale, Params into,
               Scratch scratch) noexcept {
  const auto& callbacks = *static_cast<const FloatCallbacks*>(context);
  if (callbacks.batch == nullptr) return no_gradient(keep, into);
  const popsgd_gradient& own = callbacks.gradient;
  return own.function(own.context, at.data(), callbacks.batch, keep, scale, into.data(), scratch.data(),
                      scratch.size());
}

Status begin_float(popsgd_agent& agent, const AgentConfig& config, const popsgd_learner& learner,
                   std::span<std::byte> workspace, Time now) {
  agent.floats = {learner.gradient, learner.source, nullptr};
  const Gradient callback{.function = gradient,
                          .context = &agent.floats,
                          .parameters = learner.gradient.parameters,
                          .scratch = learner.gradient.scratch,
                          .in_place = learner.gradient.in_place};
  const std::size_t velocities = config.sgd.velocity_size(callback);
  if (const Status status = examine(learner, config.sgd.scratch_size(callback)); status != Status::ok)
    return status;
  if (const Status status = usable(learner.velocity, velocities); status != Status::ok) return status;
  const Model model(span_of(learner.model, callback.parameters), as<Tensor>(learner.layout, learner.tensors));
  return agent.agent.init(config, model, callback, {next, &agent.floats},
                          {velocities == 0 ? nullptr : learner.velocity, velocities},
                          span_of(learner.scratch, learner.scratch_count), workspace, now);
}

}  // namespace
}  // namespace popsgd::c_api

popsgd_status popsgd_agent_init_float(popsgd_agent** agent, const popsgd_agent_config* config,
                                      const popsgd_learner* learner, void* memory, size_t size,
                                      popsgd_time now) {
  using namespace popsgd;
  return c_api::code(
      c_api::begin(agent, config, memory, size,
                   [&](popsgd_agent& self, const AgentConfig& read, std::span<std::byte> workspace) {
                     if (learner == nullptr) return Status::null_pointer;
                     return c_api::begin_float(self, read, *learner, workspace, Time(now));
                   }));
}
