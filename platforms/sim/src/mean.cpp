#include "mean.h"

#include <algorithm>
#include <vector>

namespace popsgd::sim {

void set_all_to_mean(const Swarm& swarm, Workers& workers) {
  const std::size_t parameters = swarm[0].size();
  std::vector<double> mean(parameters);
  mean_model(
      swarm.agents(), parameters, [&](std::uint32_t agent) { return swarm[agent]; }, workers, mean);
  workers.for_each(swarm.agents(), [&](std::size_t, std::size_t k) {
    const Params x = swarm[static_cast<std::uint32_t>(k)];
    std::transform(mean.begin(), mean.end(), x.begin(),
                   [](double value) { return static_cast<float>(value); });
  });
}

}  // namespace popsgd::sim
