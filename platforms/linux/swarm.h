// popsgd swarm: many agents on this machine, each a process of its own.
#pragma once

#include "agent.h"

#include <cstdint>
#include <string>

namespace popsgd::command {

/// What `popsgd swarm` was asked for, as it was typed.
struct SwarmOptions {
  AgentOptions agent;  ///< what all of them are told; `state` is the folder of all theirs
  std::int64_t agents = 0;
  std::string out;
  bool json = false;
  std::string command;  ///< the whole command line
  const CLI::App* app = nullptr;
};

/// Declares the subcommand's options; `options` and `app` must outlive the parsing.
void declare_swarm(CLI::App& app, SwarmOptions& options);

/// Runs it until all agents have ended, by themselves or by a signal. Returns the exit status: 0, or 1 when an agent
/// died or the mean model is not finite (the report is written all the same). Throws sim::Error or net::Error for a
/// request that cannot be carried out.
int swarm(const SwarmOptions& options);

}  // namespace popsgd::command
