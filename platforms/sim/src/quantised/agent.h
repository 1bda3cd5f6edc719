// An agent of the quantised population: its model, and what it remembers from exchange to exchange.
#pragma once

#include "quantised/model.h"

#include <popsgd/lattice/step_estimate.h>
#include <popsgd/random.h>

#include <vector>

namespace popsgd::sim {

struct LearningAgent {
  Model model;
  Random noise;                                    ///< rounds the steps of integers
  std::vector<lattice::StepEstimate> estimates{};  ///< lattice: of each tensor
  bool distant = false;            ///< lattice: the last partner was further than the bits asked for reach
  std::vector<float> reference{};  ///< top_tenth: each parameter as it was last averaged
};

}  // namespace popsgd::sim
