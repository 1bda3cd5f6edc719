// The thread that takes local steps.
#pragma once

#include "agent/shared_agent.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <thread>

namespace popsgd::command {

struct TrainingOptions {
  double rate = 0;          ///< most steps a second; 0: as many as there is time for
  std::uint64_t steps = 0;  ///< in all, with those before a restart; 0: no end
};

/// Steps beside the protocol, from start to the object's end. While the agent has settled it looks after it ten times a second.
class Training {
 public:
  /// `done` is called once, on this thread, when options.steps have been taken.
  Training(SharedAgent& shared, std::size_t parameters, Numeric numeric, const TrainingOptions& options,
           std::function<void()> done);

  /// Mean loss of the last hundred batches or so; NaN before the first. From any thread.
  [[nodiscard]] double loss() const { return loss_.load(std::memory_order_relaxed); }
  /// Turns of the thread, which go on while there are steps to take and while there are none. From any thread.
  [[nodiscard]] std::uint64_t turns() const { return turns_.load(std::memory_order_relaxed); }

 private:
  void run(const std::stop_token& stop, std::span<std::byte> memory);
  bool step(SideStep& aside);
  void see(double loss);

  SharedAgent& shared_;
  TrainingOptions options_;
  std::function<void()> done_;
  std::atomic<double> loss_ = std::numeric_limits<double>::quiet_NaN();
  std::atomic<std::uint64_t> turns_ = 0;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace popsgd::command
