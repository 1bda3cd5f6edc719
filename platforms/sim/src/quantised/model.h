// One agent's parameters, in numbers of its kind.
#pragma once

#include <popsgd/fixed.h>
#include <popsgd/gradient.h>
#include <popsgd/lattice/gap.h>
#include <popsgd/sim/dataset.h>
#include <popsgd/sim/numeric.h>
#include <popsgd/sim/problem.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

namespace popsgd::sim {

/// The tensors of a model: each layer's weights, then its biases. Fractions count for integers only.
using Layout = std::span<const Tensor>;

/// That of the problem's model in float: what is no network is one tensor.
[[nodiscard]] std::vector<Tensor> float_layout(const Problem& problem);

class Model {
 public:
  /// All zero. The layout must outlive the object.
  Model(Numeric kind, Layout layout);

  [[nodiscard]] Numeric kind() const { return static_cast<Numeric>(numbers_.index()); }
  [[nodiscard]] bool integer() const { return kind() != Numeric::float32; }
  [[nodiscard]] Layout layout() const { return layout_; }
  [[nodiscard]] std::size_t parameters() const { return parameters_; }

  /// The numbers as T: float, std::int16_t or std::int8_t, whichever its kind is.
  template <typename T>
  [[nodiscard]] std::span<T> as() {
    return std::get<std::vector<T, LineAllocator<T>>>(numbers_);
  }
  template <typename T>
  [[nodiscard]] std::span<const T> as() const {
    return std::get<std::vector<T, LineAllocator<T>>>(numbers_);
  }

  /// Bytes of a number.
  [[nodiscard]] std::size_t number_size() const;

  /// The values from parameter `offset` on, as many as `out` takes, whatever they are stored as.
  void to_floats(Params out, std::size_t offset = 0) const;
  /// An integer model's numbers, in units of each tensor's 2^-fraction.
  void to_integers(std::span<std::int32_t> out) const;

  /// Moves tensor `k`, which begins at parameter `offset`, by half of the gap; `rounding` as lattice::move() wants it, if
  /// either of the two is an integer model. Returns how many parameters stopped at their type's range.
  std::size_t move(std::size_t k, std::size_t offset, lattice::Gap gap, lattice::Side side,
                   const lattice::Rounding* rounding);

 private:
  template <typename T>
  using Numbers = std::vector<T, LineAllocator<T>>;

  Layout layout_;
  std::size_t parameters_ = 0;
  std::variant<Numbers<float>, Numbers<std::int16_t>, Numbers<std::int8_t>>
      numbers_;  // in the order of Numeric
};

}  // namespace popsgd::sim
