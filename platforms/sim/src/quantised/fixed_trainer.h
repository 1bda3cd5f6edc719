// Local steps in integers.
#pragma once

#include "quantised/model.h"
#include "sampler.h"

#include <popsgd/fixed_network.h>
#include <popsgd/sim/algorithm.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace popsgd::sim {

/// Steps of integer models of one kind, from many threads at once (one a model at a time), on the batches that float
/// agents would draw, their features rounded to 2^-8.
class FixedTrainer {
 public:
  virtual ~FixedTrainer() = default;

  [[nodiscard]] virtual Layout layout() const = 0;
  virtual void initialise(Model& model) const = 0;
  /// One step of agent `agent`; the draw as Sampler wants it. Returns how many values were cut off at their types' ends.
  virtual std::uint64_t step(std::size_t worker, Model& model, std::uint32_t agent, std::uint64_t draw,
                             std::uint32_t lane, std::uint64_t step, FixedRate rate, Random& noise) = 0;
};

/// Of int16 or int8 models. Throws Error, in the words of the command line, for what integers cannot do.
[[nodiscard]] std::unique_ptr<FixedTrainer> make_fixed_trainer(Numeric kind, const Problem& problem,
                                                               const Settings& settings, const Shards& shards,
                                                               std::size_t workers);

}  // namespace popsgd::sim
