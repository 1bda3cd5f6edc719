// Running a sequence of interactions in another order, and on many threads, with the result of running it in its own.
#pragma once

#include "pairs.h"

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

namespace popsgd::sim {

/// Interactions without a common agent commute, so a sequence may be reordered as long as each agent keeps the
/// order of its own. An interaction is ready when those before it that share an agent with it have ended; two ready
/// ones never share an agent. This hands the ready interactions of a chunk to whichever worker is free: rather one
/// whose agents that worker has just had, as their models are then still in its core's cache, else the longest ready.
///
/// One thread calls start(), then every worker calls take() until it returns nothing.
class ConflictQueue {
 public:
  /// remembered: how many of its latest agents a worker prefers, about as many as its cache holds models.
  ConflictQueue(std::uint32_t agents, std::size_t workers, std::size_t remembered);

  /// Begins a chunk, after all of the last one have ended. The pairs must live until these have.
  void start(std::span<const Pair> chunk);

  /// Notes the end of what this worker took last and gives it at most `most` ready interactions, as places in the
  /// chunk. Waits while none is ready, unless most = 0; nothing when all of the chunk have been taken. What a worker did before is
  /// visible to whoever takes an interaction that had to wait for it. Valid until the worker's next call.
  [[nodiscard]] std::span<const std::uint32_t> take(std::size_t worker, std::size_t most);

 private:
  struct Worker {
    std::vector<std::uint32_t> taken;
    std::vector<std::uint32_t> latest;  // agents it has just had, the latest first
  };
  struct Node {
    std::uint32_t after_initiator;  // the next interaction of its initiator
    std::uint32_t after_responder;
    std::uint8_t predecessors;  // that have not ended
    bool taken;
  };
  static constexpr std::uint32_t kNone = UINT32_MAX;

  void end_last(Worker& worker);
  void take_one(Worker& worker);
  [[nodiscard]] std::uint32_t choose(const Worker& worker);
  void remember(Worker& worker, std::uint32_t agent) const;

  const std::size_t remembered_;
  std::vector<Worker> workers_;
  std::span<const Pair> chunk_;
  std::vector<Node> nodes_;           // per interaction of the chunk
  std::vector<std::uint32_t> next_;   // per agent: its first interaction not yet taken
  std::vector<std::uint32_t> ready_;  // in the order they became so; some of them taken out of turn
  std::size_t first_ready_ = 0;
  std::size_t left_ = 0;  // not yet taken
  std::atomic_flag locked_;
};

}  // namespace popsgd::sim
