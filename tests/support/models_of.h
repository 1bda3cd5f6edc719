// What is looked at in a swarm, whatever the algorithm.
#pragma once

#include <popsgd/sim/algorithm.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace popsgd::test {

/// All models end to end.
inline std::vector<float> models_of(const sim::Algorithm& swarm) {
  std::vector<float> all;
  for (std::uint32_t i = 0; i < swarm.models(); ++i) {
    const ConstParams x = swarm.model(i);
    all.insert(all.end(), x.begin(), x.end());
  }
  return all;
}

/// mu = (1/n) sum_i x_i.
inline std::vector<double> mean_of(const sim::Algorithm& swarm) {
  std::vector<double> mu(swarm.model(0).size());
  for (std::uint32_t i = 0; i < swarm.models(); ++i) {
    const ConstParams x = swarm.model(i);
    for (std::size_t k = 0; k < mu.size(); ++k) mu[k] += static_cast<double>(x[k]);
  }
  for (double& m : mu) m /= swarm.models();
  return mu;
}

/// Gamma = sum_i |x_i - mu|^2.
inline double gamma_of(const sim::Algorithm& swarm) {
  const std::vector<double> mu = mean_of(swarm);
  double sum = 0;
  for (std::uint32_t i = 0; i < swarm.models(); ++i) {
    const ConstParams x = swarm.model(i);
    for (std::size_t k = 0; k < mu.size(); ++k) {
      const double gap = static_cast<double>(x[k]) - mu[k];
      sum += gap * gap;
    }
  }
  return sum;
}

}  // namespace popsgd::test
