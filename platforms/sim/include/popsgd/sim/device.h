// One device's model and rows, for an agent that lives outside of any simulation.
#pragma once

#include <popsgd/agent.h>
#include <popsgd/sim/algorithm.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace popsgd::sim {

/// A model of one kind, the rows it learns from, and the memory that its steps take.
class Device {
 public:
  /// Of `settings` it takes sgd, schedule, batch and seed: agents that begin at one model have one seed. Batches are
  /// drawn from the rows of agent `index` of the shards, at random by `draws`. All but `settings` must outlive it.
  /// Throws Error, in the words of the command line, for what integers cannot do.
  Device(const Problem& problem, const Settings& settings, const Shards& shards, std::uint32_t index,
         Numeric numeric, std::uint64_t draws);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  Device(Device&&) = delete;
  Device& operator=(Device&&) = delete;

  [[nodiscard]] std::size_t parameters() const;
  [[nodiscard]] std::size_t tensors() const;
  [[nodiscard]] Numeric numeric() const;

  /// Agent::init() with this model, where all agents of its seed begin. `workspace` must outlive the agent, and so must the
  /// device.
  [[nodiscard]] Status begin(Agent& agent, const AgentConfig& config, std::span<std::byte> workspace,
                             Time now);

  /// The model as floats, parameters() of them.
  void copy_model(Params into) const;

 private:
  class Kind;
  class Floats;
  class Integers;
  std::unique_ptr<Kind> kind_;
};

}  // namespace popsgd::sim
