// What every model was when its agent was last looked at.
#pragma once

#include "swarm.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace popsgd::sim {

/// The change that a merge made to a block, and the largest magnitude of its parameters before or after: what
/// rounding is measured by.
struct Change {
  std::span<const float> by{};
  float scale = 0;
};

class Shadows {
 public:
  explicit Shadows(const Swarm& swarm) : swarm_(swarm), models_(swarm.agents()) {
    for (std::uint32_t k = 0; k < swarm.agents(); ++k) follow(k);
  }

  void follow(std::uint32_t agent) { models_[agent].assign(swarm_[agent].begin(), swarm_[agent].end()); }
  /// Whether the model is what it was, bit for bit.
  [[nodiscard]] bool same(std::uint32_t agent) const {
    return std::memcmp(models_[agent].data(), swarm_[agent].data(), swarm_[agent].size_bytes()) == 0;
  }
  /// What has become of a stretch of the model; follows it there. Valid until the next call.
  [[nodiscard]] Change take(std::uint32_t agent, std::size_t offset, std::size_t length) {
    const ConstParams now = swarm_[agent].subspan(offset, length);
    const std::span<float> before = std::span(models_[agent]).subspan(offset, length);
    change_.resize(length);
    float scale = 0;
    for (std::size_t k = 0; k < length; ++k) {
      change_[k] = now[k] - before[k];
      scale = std::max({scale, std::fabs(now[k]), std::fabs(before[k])});
      before[k] = now[k];
    }
    return {change_, scale};
  }

 private:
  const Swarm& swarm_;
  std::vector<std::vector<float>> models_;
  std::vector<float> change_{};
};

}  // namespace popsgd::sim
