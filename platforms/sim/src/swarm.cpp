#include "swarm.h"

#include <algorithm>

namespace popsgd::sim {

void Swarm::initialise(const Problem& problem) const {
  const Params first = (*this)[0];
  problem.initialise(first);
  for (std::uint32_t agent = 1; agent < agents_; ++agent)
    std::copy(first.begin(), first.end(), (*this)[agent].begin());
}

}  // namespace popsgd::sim
