// The agent as the threads of this process share it.
#pragma once

#include <popsgd/agent.h>

#include <mutex>

namespace popsgd::command {

/// Whoever calls the agent holds the lock, for no longer than a copy of the model takes: neither steps nor the network
/// ever wait for each other's work. Only Agent::work() needs no lock.
struct SharedAgent {
  std::mutex mutex;
  Agent agent;
};

}  // namespace popsgd::command
