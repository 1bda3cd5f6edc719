#include "agent/evaluation.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace popsgd::command {
namespace {

constexpr std::size_t kRows = 1000;
constexpr double kShare = 0.05;

}  // namespace

Evaluation::Evaluation(SharedAgent& shared, const sim::Device& device, const sim::Problem& problem,
                       double seconds)
    : shared_(shared),
      device_(device),
      problem_(problem),
      model_(device.parameters()),
      scratch_(problem.score_scratch()),
      accuracy_(std::numeric_limits<double>::quiet_NaN()) {
  if (seconds > 0)
    thread_ = std::jthread([this, seconds](const std::stop_token& stop) { run(stop, seconds); });
}

void Evaluation::run(const std::stop_token& stop, double seconds) {
  using Clock = std::chrono::steady_clock;
  while (!stop.stop_requested()) {
    const auto start = Clock::now();
    accuracy_.store(score(std::min(kRows, problem_.test().rows)).accuracy, std::memory_order_relaxed);
    const std::chrono::duration<double> took = Clock::now() - start;
    std::mutex nobodys;
    std::unique_lock lock(nobodys);
    woken_.wait_for(lock, stop, std::chrono::duration<double>(std::max(seconds, took.count() / kShare)),
                    [] { return false; });
  }
}

sim::Score Evaluation::all() {
  return score(problem_.test().rows);
}

sim::Score Evaluation::score(std::size_t rows) {
  const std::lock_guard one_at_a_time(looking_);
  {
    const std::lock_guard lock(shared_.mutex);
    device_.copy_model(model_);
  }
  return problem_.score(model_, rows, scratch_);
}

}  // namespace popsgd::command
