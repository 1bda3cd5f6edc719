// The models of n agents, side by side.
#pragma once

#include "arena.h"

#include <popsgd/gradient.h>
#include <popsgd/sim/problem.h>

#include <cstdint>

namespace popsgd::sim {

/// n models in one block, each on cache lines of its own where that costs little memory.
class Swarm {
 public:
  Swarm(std::uint32_t agents, std::size_t parameters)
      : agents_(agents), parameters_(parameters), stride_(stride(parameters)), memory_(agents * stride_) {}

  [[nodiscard]] std::uint32_t agents() const { return agents_; }
  [[nodiscard]] Params operator[](std::uint32_t agent) const {
    return {memory_.data() + agent * stride_, parameters_};
  }

  /// Every agent starts from the problem's initial model.
  void initialise(const Problem& problem) const;

 private:
  static std::size_t stride(std::size_t parameters) {
    constexpr std::size_t kLine = 16;
    const std::size_t aligned = (parameters + kLine - 1) / kLine * kLine;
    return (aligned - parameters) * 20 <= parameters ? aligned : parameters;
  }

  std::uint32_t agents_;
  std::size_t parameters_;
  std::size_t stride_;
  Arena memory_;
};

}  // namespace popsgd::sim
