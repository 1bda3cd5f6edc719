// The thread that keeps checkpoints.
#pragma once

#include "agent/shared_agent.h"
#include "agent/staged_store.h"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace popsgd::command {

/// Saves the agent every so many seconds. A store that fails is tried again at the next turn; the agent goes on.
class Keeper {
 public:
  /// What has become of a save; called on the thread that saved.
  using Told = std::function<void(Status)>;

  /// `store` must have been loaded, and must outlive it.
  Keeper(SharedAgent& shared, StagedStore& store, double seconds, Told told);

  /// Does not wait for the next turn.
  void soon();
  /// Saves now.
  Status save();

 private:
  SharedAgent& shared_;
  StagedStore& store_;
  Told told_;
  std::mutex saving_;
  std::mutex waking_;
  bool soon_ = false;
  std::condition_variable_any woken_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace popsgd::command
