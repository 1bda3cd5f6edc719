// The mean of all models: the same bits for any number of threads.
#pragma once

#include "swarm.h"

#include <popsgd/sim/workers.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace popsgd::sim {

/// out[k] = (1/n) sum_i model(i)[k], summed over the agents in their order, in double.
/// `model` maps an index below `count` to its parameters.
template <typename Model>
void mean_model(std::uint32_t count, std::size_t parameters, const Model& model, Workers& workers,
                std::span<double> out) {
  constexpr std::size_t kBlock = 512;  // coordinates summed by one thread at a time
  workers.for_each((parameters + kBlock - 1) / kBlock, [&](std::size_t, std::size_t block) {
    const std::size_t first = block * kBlock;
    const std::span<double> sums = out.subspan(first, std::min(kBlock, parameters - first));
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::uint32_t agent = 0; agent < count; ++agent) {
      const float* x = model(agent).data() + first;
      for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += static_cast<double>(x[k]);
    }
    for (double& sum : sums) sum /= count;
  });
}

/// Every agent adopts the mean of all.
void set_all_to_mean(const Swarm& swarm, Workers& workers);

}  // namespace popsgd::sim
