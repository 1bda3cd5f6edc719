#include "quantised/model.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace popsgd::sim {

std::vector<Tensor> float_layout(const Problem& problem) {
  const auto widths = problem.widths();
  if (widths.empty()) return {{.length = static_cast<std::uint32_t>(problem.parameters())}};
  std::vector<Tensor> layout;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    layout.push_back({.length = widths[l] * widths[l + 1]});
    layout.push_back({.length = widths[l + 1]});
  }
  return layout;
}

Model::Model(Numeric kind, Layout layout) : layout_(layout) {
  for (const Tensor& tensor : layout) parameters_ += tensor.length;
  if (kind == Numeric::int16) numbers_.emplace<1>();
  if (kind == Numeric::int8) numbers_.emplace<2>();
  std::visit([&](auto& numbers) { numbers.resize(parameters_); }, numbers_);
}

std::size_t Model::number_size() const {
  return std::visit([](const auto& numbers) { return sizeof(numbers[0]); }, numbers_);
}

void Model::to_floats(Params out, std::size_t offset) const {
  if (!integer()) {
    std::ranges::copy(as<float>().subspan(offset, out.size()), out.begin());
    return;
  }
  std::visit(
      [&](const auto& numbers) {
        std::size_t k = offset;
        std::size_t end = 0;  // of the tensor
        for (const auto& [length, fraction] : layout_) {
          end += length;
          const float unit = std::ldexp(1.0F, -fraction);
          for (; k < std::min(end, offset + out.size()); ++k)
            out[k - offset] = static_cast<float>(numbers[k]) * unit;
        }
      },
      numbers_);
}

void Model::to_integers(std::span<std::int32_t> out) const {
  std::visit(
      [&](const auto& numbers) {
        for (std::size_t k = 0; k < out.size(); ++k) out[k] = static_cast<std::int32_t>(numbers[k]);
      },
      numbers_);
}

std::size_t Model::move(std::size_t k, std::size_t offset, lattice::Gap gap, lattice::Side side,
                        const lattice::Rounding* rounding) {
  return std::visit(
      [&](auto& numbers) -> std::size_t {
        const auto x = std::span(numbers).subspan(offset, layout_[k].length);
        if constexpr (std::is_same_v<decltype(x), const std::span<float>>) {
          if (rounding == nullptr)
            lattice::move(x, gap, side);
          else
            lattice::move(x, gap, side, *rounding);
          return 0;
        } else {
          return lattice::move(x, layout_[k].fraction, gap, side, *rounding);
        }
      },
      numbers_);
}

}  // namespace popsgd::sim
