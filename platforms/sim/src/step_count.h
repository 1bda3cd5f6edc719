// How many local steps an agent takes at an interaction.
#pragma once

#include <popsgd/random.h>
#include <popsgd/sim/algorithm.h>

#include <cmath>
#include <cstdint>

namespace popsgd::sim {

/// A pure function of interaction and lane.
class StepCount {
 public:
  StepCount(LocalSteps steps, std::uint64_t seed)
      : steps_(steps), random_(Random::key(seed, Purpose::local_steps)) {}

  [[nodiscard]] std::uint64_t at(std::uint64_t t, std::uint32_t lane) const {
    const auto [mean, geometric] = steps_;
    if (!geometric || mean == 1) return mean;
    // P(steps = k) = p (1 - p)^(k - 1), p = 1 / H, by inversion; at most 22 H from 32 random bits.
    const auto words = random_.block(static_cast<std::uint32_t>(t), static_cast<std::uint32_t>(t >> 32));
    const double uniform = (words[lane] + 0.5) * 0x1p-32;
    return 1 + static_cast<std::uint64_t>(std::log(uniform) / std::log1p(-1.0 / mean));
  }

 private:
  LocalSteps steps_;
  Threefry random_;
};

}  // namespace popsgd::sim
