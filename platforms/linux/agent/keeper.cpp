#include "agent/keeper.h"

#include <chrono>
#include <utility>

namespace popsgd::command {

Keeper::Keeper(SharedAgent& shared, StagedStore& store, double seconds, Told told)
    : shared_(shared), store_(store), told_(std::move(told)) {
  thread_ = std::jthread([this, seconds](const std::stop_token& stop) {
    std::unique_lock lock(waking_);
    while (!stop.stop_requested()) {
      woken_.wait_for(lock, stop, std::chrono::duration<double>(seconds),
                      [this] { return std::exchange(soon_, false); });
      if (stop.stop_requested()) return;
      lock.unlock();
      save();
      lock.lock();
    }
  });
}

void Keeper::soon() {
  {
    const std::lock_guard lock(waking_);
    soon_ = true;
  }
  woken_.notify_one();
}

// The agent waits only until its checkpoint is staged, not for the disk.
Status Keeper::save() {
  const std::lock_guard one_at_a_time(saving_);
  Status status = Status::ok;
  {
    const std::lock_guard lock(shared_.mutex);
    status = shared_.agent.stage(store_);
  }
  const Status flushed = store_.flush();
  if (status == Status::ok) status = flushed;
  if (status == Status::ok) {
    const std::lock_guard lock(shared_.mutex);
    shared_.agent.saved();
  }
  told_(status);
  return status;
}

}  // namespace popsgd::command
