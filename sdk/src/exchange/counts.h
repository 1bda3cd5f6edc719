// How metrics are counted.
#pragma once

#include <popsgd/agent.h>
#include <popsgd/parts.h>

#include <cstddef>

namespace popsgd {

/// What only a diagnosis asks for: see Part::diagnosis.
inline void count(Count& counter, Count by = 1) {
  if constexpr (has(Part::diagnosis)) counter += by;
}
/// A frame was dropped. There are many reasons: one function for all.
[[gnu::noinline]] inline void count_drop(AgentMetrics& metrics, Drop reason) {
  count(metrics.dropped[static_cast<std::size_t>(reason)]);
}

}  // namespace popsgd
