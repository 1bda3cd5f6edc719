// A model's values as the lattice sees them, at one moment.
#pragma once

#include "quantised/model.h"

#include <popsgd/lattice/points.h>
#include <popsgd/lattice/rotation.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace popsgd::sim {

class Snapshot {
 public:
  explicit Snapshot(std::size_t parameters) : floats_(parameters), integers_(parameters) {}

  /// The model's values: of integers in their units, or `as_floats`. The model's layout must outlive their use.
  void take(const Model& model, bool as_floats = false);

  /// Rotates every tensor, by signs that the exchange's name gives.
  void rotate(std::uint32_t name);

  /// The values of tensor `k`, which begins at parameter `offset`.
  [[nodiscard]] lattice::Values tensor(std::size_t k, std::size_t offset) const;

 private:
  Layout layout_{};
  bool integer_ = false;
  std::vector<float> floats_;
  std::vector<std::int32_t> integers_;
};

/// The rotation of tensor `k` in an exchange.
[[nodiscard]] inline lattice::Signs signs_of(std::uint32_t name, std::size_t k) {
  return {name, static_cast<std::uint32_t>(k)};
}

}  // namespace popsgd::sim
