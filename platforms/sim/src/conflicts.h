// Running a sequence of interactions on many threads with the result of running it on one.
#pragma once

#include "pairs.h"

#include <cstdint>
#include <span>
#include <vector>

namespace popsgd::sim {

/// One interaction of a chunk, and how many interactions of its agents must have ended before it may start.
struct Task {
  Pair pair;
  std::uint32_t offset;  ///< place in the sequence, counted from the chunk's first
  std::uint32_t initiator_turn;
  std::uint32_t responder_turn;
};

/// Interactions without a common agent commute, so a sequence may be reordered as long as each agent keeps the
/// order of its own. This sorts a chunk into rows of `width` interactions that have no agent in
/// common, each interaction in the first row with room after its two predecessors (list scheduling),
/// so that threads which take tasks from the front seldom wait for one another.
class ConflictSchedule {
 public:
  explicit ConflictSchedule(std::uint32_t agents) : last_row_(agents), turns_(agents) {}

  /// The chunk's tasks in an order in which every task comes after those it depends on. Turns count on
  /// from the previous chunk. The result is valid until the next call.
  std::span<const Task> order(std::span<const Pair> chunk, std::uint32_t width);

 private:
  std::vector<std::uint32_t> last_row_;  // per agent: 1 + row of its last interaction in this chunk
  std::vector<std::uint32_t> turns_;     // per agent: interactions scheduled so far
  std::vector<std::uint32_t> row_;       // per interaction
  std::vector<std::uint32_t> filled_;    // per row
  std::vector<Task> tasks_;
};

}  // namespace popsgd::sim
