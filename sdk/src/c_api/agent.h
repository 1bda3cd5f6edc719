// An agent as C has it: the agent, what its callbacks in C need, and behind it its workspace.
#pragma once

#include "c_api/config.h"
#include "c_api/pointers.h"

#include <popsgd/agent.h>
#include <popsgd/c/agent.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace popsgd::c_api {

/// Callbacks of one kind of model. The batch that the source gives goes past the agent, which has no use for it.
template <typename Gradient, typename Source, typename Batch>
struct Callbacks {
  Gradient gradient;
  Source source;
  const Batch* batch;
};
using FloatCallbacks = Callbacks<popsgd_gradient, popsgd_batch_source, popsgd_batch>;
template <typename Gradient>
using FixedCallbacks = Callbacks<Gradient, popsgd_fixed_batch_source, popsgd_fixed_batch>;

}  // namespace popsgd::c_api

// NOLINTNEXTLINE(readability-identifier-naming)
struct alignas(POPSGD_ALIGNMENT) popsgd_agent {
  popsgd::Agent agent{};
  popsgd_observer observer{};
  popsgd::SideStep aside{std::span<std::byte>{}};
  bool stepping = false;  // aside
  std::uint16_t largest_frame = 0;
  union {
    popsgd::c_api::FloatCallbacks floats;
    popsgd::c_api::FixedCallbacks<popsgd_int16_gradient> int16s;
    popsgd::c_api::FixedCallbacks<popsgd_int8_gradient> int8s;
  };

  popsgd_agent() : floats{} {}
};

namespace popsgd::c_api {

/// Tells the observer in C, the agent's.
void observe(void* agent, const Applied& applied) noexcept;

/// Places an agent into its memory and lets init(agent, configuration, workspace) begin it.
template <typename Init>
Status begin(popsgd_agent** out, const popsgd_agent_config* configuration, void* memory, std::size_t size,
             Init init) {
  if (out == nullptr) return Status::null_pointer;
  *out = nullptr;
  const auto read_config = read(configuration);
  if (!read_config.ok()) return read_config.status();
  if (memory == nullptr) return Status::null_pointer;
  if (!aligned(memory, POPSGD_ALIGNMENT) || size < sizeof(popsgd_agent)) return Status::scratch_too_small;
  auto* agent = std::construct_at(static_cast<popsgd_agent*>(memory));
  AgentConfig config = read_config.value();
  agent->largest_frame = config.largest_frame;
  agent->observer = configuration->observer;
  if (agent->observer.function != nullptr) config.observer = {.function = observe, .context = agent};
  const std::span<std::byte> workspace{static_cast<std::byte*>(memory) + sizeof(popsgd_agent),
                                       size - sizeof(popsgd_agent)};
  const Status status = init(*agent, config, workspace);
  if (status == Status::ok) *out = agent;
  return status;
}

/// Whether all that a learner of any kind points to is there; `scratch` floats or words are needed.
template <typename Learner>
Status examine(const Learner& learner, std::size_t scratch) {
  if (learner.gradient.function == nullptr || learner.source.function == nullptr) return Status::no_function;
  if (learner.scratch_count < scratch) return Status::scratch_too_small;
  for (const Status status :
       {usable(learner.model, learner.gradient.parameters), usable(learner.layout, learner.tensors),
        usable(learner.scratch, learner.scratch_count)}) {
    if (status != Status::ok) return status;
  }
  return Status::ok;
}

}  // namespace popsgd::c_api
