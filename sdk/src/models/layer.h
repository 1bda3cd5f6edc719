// A layer's place in a network's flat vector of parameters, the same in float and in fixed point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd {

struct Layer {
  std::size_t inputs;
  std::size_t outputs;
  std::size_t weights;  ///< offset of outputs x inputs, row-major
  std::size_t biases;   ///< offset of outputs

  [[nodiscard]] std::size_t end() const { return biases + outputs; }
};

/// Of the network with these widths: inputs, hidden widths, outputs.
[[nodiscard]] inline Layer layer_at(std::span<const std::uint32_t> widths, std::size_t index) {
  Layer layer{widths[0], widths[1], 0, std::size_t{widths[0]} * widths[1]};
  for (std::size_t l = 1; l <= index; ++l) {
    const std::size_t start = layer.end();
    layer = {widths[l], widths[l + 1], start, start + std::size_t{widths[l]} * widths[l + 1]};
  }
  return layer;
}

}  // namespace popsgd
