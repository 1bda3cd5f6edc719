// Where a model's tensors begin and end, and how blocks and chunks cut them.
#pragma once

#include <popsgd/model.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd {

/// A stretch of the model.
struct Stretch {
  std::size_t offset = 0;
  std::size_t length = 0;  ///< parameters
};

class Tensors {
 public:
  Tensors() = default;
  explicit Tensors(const Model& model) : layout_(model.layout()) {}

  [[nodiscard]] std::size_t count() const { return layout_.empty() ? 1 : layout_.size(); }
  /// Parameters of one, in a model of so many.
  [[nodiscard]] std::size_t length(std::size_t tensor, std::size_t model) const {
    return layout_.empty() ? model : layout_[tensor].length;
  }
  /// The one that a parameter lies in, of a model of so many.
  [[nodiscard]] std::uint32_t at(std::size_t parameter, std::size_t model) const {
    std::uint32_t tensor = 0;
    for (std::size_t end = length(0, model); end <= parameter; end += length(tensor, model)) ++tensor;
    return tensor;
  }
  /// Of an integer model, which always has a layout.
  [[nodiscard]] int fraction(std::size_t tensor) const { return layout_[tensor].fraction; }

  /// Calls use(tensor, part) for each tensor that the stretch overlaps, with the part that lies in it.
  template <typename Use>
  void cut(Stretch stretch, Use use) const {
    if (layout_.empty()) return use(std::size_t{0}, stretch);
    const std::size_t stretch_end = stretch.offset + stretch.length;
    std::size_t begin = 0;
    for (std::size_t tensor = 0; tensor < layout_.size() && begin < stretch_end; ++tensor) {
      const std::size_t end = begin + layout_[tensor].length;
      const std::size_t first = std::max(begin, stretch.offset);
      const std::size_t last = std::min(end, stretch_end);
      if (first < last) use(tensor, Stretch{first, last - first});
      begin = end;
    }
  }

  /// The same for any two models that can be averaged, whatever their units; 0 for a single tensor.
  [[nodiscard]] std::uint32_t fingerprint() const;

 private:
  std::span<const Tensor> layout_{};
};

}  // namespace popsgd
