#include "agent/training.h"

#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

namespace popsgd::command {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kRest = std::chrono::milliseconds(100);
constexpr double kForget = 0.02;  // of the mean loss, a batch

Clock::duration seconds(double value) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(value));
}

}  // namespace

Training::Training(SharedAgent& shared, std::size_t parameters, Numeric numeric,
                   const TrainingOptions& options, std::function<void()> done)
    : shared_(shared), options_(options), done_(std::move(done)) {
  thread_ = std::jthread([this, size = SideStep::size(parameters, numeric)](const std::stop_token& stop) {
    std::vector<std::uint64_t> memory((size + 7) / 8);
    run(stop, std::as_writable_bytes(std::span(memory)));
  });
}

// A step that comes late is not made up for by haste.
void Training::run(const std::stop_token& stop, std::span<std::byte> memory) {
  SideStep aside(memory);
  Clock::time_point due = Clock::now();
  for (; !stop.stop_requested(); turns_.fetch_add(1, std::memory_order_relaxed)) {
    if (!step(aside)) {
      std::this_thread::sleep_for(kRest);
      continue;
    }
    if (!(options_.rate > 0)) continue;
    due = std::max(due + seconds(1 / options_.rate), Clock::now() - kRest);
    while (!stop.stop_requested() && Clock::now() < due)
      std::this_thread::sleep_for(std::min<Clock::duration>(kRest, due - Clock::now()));
  }
}

// Whether there was one to take.
bool Training::step(SideStep& aside) {
  {
    const std::lock_guard lock(shared_.mutex);
    const bool enough = options_.steps > 0 && shared_.agent.metrics().steps >= options_.steps;
    if (enough && done_) std::exchange(done_, nullptr)();
    if (enough || shared_.agent.begin_step(aside) != Status::ok) return false;
  }
  const float loss = shared_.agent.work(aside);
  {
    const std::lock_guard lock(shared_.mutex);
    shared_.agent.end_step(aside);
  }
  see(static_cast<double>(loss));
  return true;
}

void Training::see(double loss) {
  const double before = this->loss();
  loss_.store(std::isfinite(before) ? before + kForget * (loss - before) : loss, std::memory_order_relaxed);
}

}  // namespace popsgd::command
