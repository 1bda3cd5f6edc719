// The thread that looks how good the model is.
#pragma once

#include "agent/shared_agent.h"

#include <popsgd/sim/device.h>
#include <popsgd/sim/problem.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace popsgd::command {

/// Scores copies of the model on test rows now and then, and never spends more than a twentieth of its time on it.
class Evaluation {
 public:
  /// Every `seconds`, or more seldom; 0: only when asked to.
  Evaluation(SharedAgent& shared, const sim::Device& device, const sim::Problem& problem, double seconds);

  /// On a thousand rows; NaN before the first look. From any thread.
  [[nodiscard]] double accuracy() const { return accuracy_.load(std::memory_order_relaxed); }

  /// On all rows, now.
  [[nodiscard]] sim::Score all();

 private:
  [[nodiscard]] sim::Score score(std::size_t rows);
  void run(const std::stop_token& stop, double seconds);

  SharedAgent& shared_;
  const sim::Device& device_;
  const sim::Problem& problem_;
  std::mutex looking_;
  std::vector<float> model_;
  std::vector<float> scratch_;
  std::atomic<double> accuracy_;
  std::condition_variable_any woken_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace popsgd::command
