#include "conflicts.h"

#include <algorithm>
#include <numeric>

namespace popsgd::sim {

std::span<const Task> ConflictSchedule::order(std::span<const Pair> chunk, std::uint32_t width) {
  row_.resize(chunk.size());
  tasks_.resize(chunk.size());
  filled_.assign(chunk.size() + 1, 0);
  std::uint32_t open = 0;  // the first row with room; rows before it are full
  for (std::size_t k = 0; k < chunk.size(); ++k) {
    std::uint32_t& a = last_row_[chunk[k].initiator];
    std::uint32_t& b = last_row_[chunk[k].responder];
    std::uint32_t row = std::max({a, b, open});
    while (filled_[row] == width) ++row;
    ++filled_[row];
    while (filled_[open] == width) ++open;
    row_[k] = row;
    a = b = row + 1;
  }
  // Counting sort by row; within a row the sequence's own order.
  std::exclusive_scan(filled_.begin(), filled_.end(), filled_.begin(), 0U);
  for (std::size_t k = 0; k < chunk.size(); ++k) {
    const Pair pair = chunk[k];
    tasks_[filled_[row_[k]]++] = {pair, static_cast<std::uint32_t>(k), turns_[pair.initiator]++,
                                  turns_[pair.responder]++};
  }
  for (const Pair pair : chunk) last_row_[pair.initiator] = last_row_[pair.responder] = 0;
  return tasks_;
}

}  // namespace popsgd::sim
