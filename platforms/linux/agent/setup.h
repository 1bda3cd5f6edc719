// From what `popsgd agent` was asked for to what its parts want to know.
#pragma once

#include "agent.h"
#include "agent/node.h"
#include "agent/training.h"

#include <popsgd/agent.h>
#include <popsgd/sim/algorithm.h>
#include <popsgd/sim/shards.h>

#include <cstdint>
#include <optional>
#include <string>

namespace popsgd::command {

/// Which rows are this agent's: part `index` of `parts`.
struct Part {
  std::uint32_t index = 0;
  std::uint32_t parts = 1;
};

// All throw sim::Error or net::Error, naming the flag.

[[nodiscard]] Part part_from(const AgentOptions& options);
[[nodiscard]] sim::Settings learning_from(const AgentOptions& options);
[[nodiscard]] Numeric numeric_from(const AgentOptions& options);
[[nodiscard]] NodeOptions node_from(const AgentOptions& options);
/// What --key holds, of its epoch and the one before. None: plain text, which is for where nobody else can listen, or --insecure.
/// Throws where it is neither.
[[nodiscard]] std::optional<secure::SwarmKeys> keys_from(const AgentOptions& options);
/// Overwrites them.
void forget(std::optional<secure::SwarmKeys>& keys);
[[nodiscard]] TrainingOptions training_from(const AgentOptions& options);
/// `fingerprint`, of swarm and model; `seed`: random.
[[nodiscard]] AgentConfig config_from(const AgentOptions& options, const sim::Settings& settings,
                                      std::uint64_t fingerprint, std::uint64_t seed);
/// What all agents that may average must agree on: the swarm's name and the model, down to its sizes.
[[nodiscard]] std::uint64_t fingerprint_of(const std::string& swarm, const sim::Problem& problem);
/// The rest: numbers that are only looked at.
void check_times(const AgentOptions& options);

}  // namespace popsgd::command
