#include "conflict_queue.h"

#include <algorithm>
#include <thread>

namespace popsgd::sim {
namespace {

// Held for less than a microsecond at a time, so that sleeping would cost more than waiting.
class SpinLock {
 public:
  explicit SpinLock(std::atomic_flag& flag) : flag_(flag) {
    for (int spins = 0; flag_.test_and_set(std::memory_order_acquire); ++spins) {
      if (spins > 100) std::this_thread::yield();
    }
  }
  ~SpinLock() { flag_.clear(std::memory_order_release); }
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

 private:
  std::atomic_flag& flag_;
};

}  // namespace

ConflictQueue::ConflictQueue(std::uint32_t agents, std::size_t workers, std::size_t remembered)
    : remembered_(remembered), workers_(workers), next_(agents, kNone) {}

void ConflictQueue::start(std::span<const Pair> chunk) {
  chunk_ = chunk;
  left_ = chunk.size();
  nodes_.resize(chunk.size());
  ready_.clear();
  first_ready_ = 0;
  for (std::size_t k = chunk.size(); k-- > 0;) {
    std::uint32_t& of_initiator = next_[chunk[k].initiator];
    std::uint32_t& of_responder = next_[chunk[k].responder];
    nodes_[k] = {of_initiator, of_responder, 0, false};
    for (const std::uint32_t successor : {of_initiator, of_responder}) {
      if (successor != kNone) ++nodes_[successor].predecessors;
    }
    of_initiator = of_responder = static_cast<std::uint32_t>(k);
  }
  for (std::uint32_t k = 0; k < chunk.size(); ++k) {
    if (nodes_[k].predecessors == 0) ready_.push_back(k);
  }
}

std::span<const std::uint32_t> ConflictQueue::take(std::size_t index, std::size_t most) {
  Worker& worker = workers_[index];
  for (int attempts = 0;; ++attempts) {
    {
      const SpinLock lock(locked_);
      end_last(worker);
      while (worker.taken.size() < most && first_ready_ < ready_.size()) take_one(worker);
      if (!worker.taken.empty() || left_ == 0 || most == 0) return worker.taken;
    }
    if (attempts > 100) std::this_thread::yield();
  }
}

void ConflictQueue::end_last(Worker& worker) {
  for (const std::uint32_t ended : worker.taken) {
    for (const std::uint32_t successor : {nodes_[ended].after_initiator, nodes_[ended].after_responder}) {
      if (successor != kNone && --nodes_[successor].predecessors == 0) ready_.push_back(successor);
    }
  }
  worker.taken.clear();
}

void ConflictQueue::take_one(Worker& worker) {
  const std::uint32_t interaction = choose(worker);
  Node& node = nodes_[interaction];
  node.taken = true;
  --left_;
  while (first_ready_ < ready_.size() && nodes_[ready_[first_ready_]].taken) ++first_ready_;
  const auto [initiator, responder] = chunk_[interaction];
  next_[initiator] = node.after_initiator;
  next_[responder] = node.after_responder;
  remember(worker, responder);
  remember(worker, initiator);
  worker.taken.push_back(interaction);
}

// Ready interactions of the latest agents: one with both of its agents among them before one with only one.
std::uint32_t ConflictQueue::choose(const Worker& worker) {
  std::uint32_t choice = kNone;
  for (const std::uint32_t agent : worker.latest) {
    const std::uint32_t candidate = next_[agent];
    if (candidate == kNone || nodes_[candidate].predecessors > 0) continue;
    const auto [a, b] = chunk_[candidate];
    if (std::ranges::find(worker.latest, a == agent ? b : a) != worker.latest.end()) return candidate;
    if (choice == kNone) choice = candidate;
  }
  return choice != kNone ? choice : ready_[first_ready_];
}

void ConflictQueue::remember(Worker& worker, std::uint32_t agent) const {
  if (remembered_ == 0) return;
  auto place = std::ranges::find(worker.latest, agent);
  if (place == worker.latest.end()) {
    if (worker.latest.size() < remembered_) worker.latest.push_back(agent);
    place = worker.latest.end() - 1;
    *place = agent;
  }
  std::rotate(worker.latest.begin(), place, place + 1);
}

}  // namespace popsgd::sim
