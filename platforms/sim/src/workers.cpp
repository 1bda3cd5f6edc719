#include <popsgd/sim/workers.h>

#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

namespace popsgd::sim {

struct Workers::Team {
  explicit Team(std::size_t count)
      : start(static_cast<std::ptrdiff_t>(count)), finish(static_cast<std::ptrdiff_t>(count)) {}

  void serve(std::size_t worker) {
    while (true) {
      start.arrive_and_wait();
      if (task == nullptr) return;
      (*task)(worker);
      finish.arrive_and_wait();
    }
  }

  std::barrier<> start;
  std::barrier<> finish;
  const std::function<void(std::size_t)>* task = nullptr;
  std::vector<std::jthread> threads;
};

Workers::Workers(std::size_t count) : count_(count) {
  if (count == 1) return;
  team_ = std::make_unique<Team>(count);
  for (std::size_t worker = 1; worker < count; ++worker) {
    team_->threads.emplace_back([team = team_.get(), worker] { team->serve(worker); });
  }
}

Workers::~Workers() {
  if (team_ == nullptr) return;
  team_->task = nullptr;
  team_->start.arrive_and_wait();
}

void Workers::run(const std::function<void(std::size_t)>& task) {
  if (team_ == nullptr) return task(0);
  team_->task = &task;
  team_->start.arrive_and_wait();
  task(0);
  team_->finish.arrive_and_wait();
}

void Workers::for_each(std::size_t items, const std::function<void(std::size_t, std::size_t)>& task) {
  std::atomic<std::size_t> next{0};
  run([&](std::size_t worker) {
    for (std::size_t k = next.fetch_add(1); k < items; k = next.fetch_add(1)) task(worker, k);
  });
}

}  // namespace popsgd::sim
