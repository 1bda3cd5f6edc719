// Local steps in integers.
#pragma once

#include "quantised/model.h"
#include "sampler.h"

#include <popsgd/agent.h>
#include <popsgd/fixed_network.h>
#include <popsgd/sim/algorithm.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace popsgd::sim {

/// Steps of integer models of one kind, from many threads at once (one a model at a time), on the batches that float
/// agents would draw, their features rounded to 2^-8.
class FixedTrainer {
 public:
  virtual ~FixedTrainer() = default;

  [[nodiscard]] virtual Layout layout() const = 0;
  virtual void initialise(Model& model) const = 0;
  /// The batch of agent `agent`; the draw as Sampler wants it. Valid until the worker's next.
  virtual const FixedBatch& draw(std::size_t worker, std::uint32_t agent, std::uint64_t draw,
                                 std::uint32_t lane, std::uint64_t step) = 0;
  /// One step of agent `agent` on the batch of that draw. Returns how many values were cut off at their types' ends.
  virtual std::uint64_t step(std::size_t worker, Model& model, std::uint32_t agent, std::uint64_t draw,
                             std::uint32_t lane, std::uint64_t step, FixedRate rate, Random& noise) = 0;

  /// The same steps taken by an agent as devices have it: its init() with this model, and with the settings' schedule.
  /// All that begin here share the scratch of worker 0.
  [[nodiscard]] virtual Status begin(Agent& agent, const AgentConfig& config, Model& model,
                                     FixedBatchSource source, std::span<std::byte> workspace, Time now) = 0;
};

/// By Numeric; null for the kinds that no agent has, and for float32.
using FixedTrainers = std::array<std::unique_ptr<FixedTrainer>, 3>;

/// Those that settings.numerics asks for. Throws Error, in the words of the command line, for what integers cannot do.
[[nodiscard]] FixedTrainers make_fixed_trainers(const Problem& problem, const Settings& settings,
                                                const Shards& shards, std::size_t workers);

/// The same schedule in integers; counts above 2^46 steps are that.
[[nodiscard]] FixedSchedule fixed_schedule(const Schedule& schedule);

}  // namespace popsgd::sim
