#include "readers.h"

#include <cmath>
#include <limits>
#include <span>
#include <utility>

namespace popsgd::sim {
namespace {

/// The transform value * scale + shift of each column.
struct Transform {
  std::vector<float> scale;
  std::vector<float> shift;
};

Transform constant(std::size_t features, float scale) {
  return {std::vector<float>(features, scale), std::vector<float>(features, 0.0F)};
}

/// Brings each column of `values` to mean 0 and variance 1. Two passes over the differences from the first
/// row: no digits are lost to a large mean, and a constant column has a variance of exactly 0.
template <class Value>
Transform standard(std::span<const Value> values, std::size_t columns) {
  const std::size_t rows = values.size() / columns;
  const double weight = 1.0 / static_cast<double>(rows);
  const auto difference = [&](std::size_t r, std::size_t c) {
    return static_cast<double>(values[r * columns + c]) - static_cast<double>(values[c]);
  };
  std::vector<double> mean(columns);
  std::vector<double> variance(columns);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) mean[c] += weight * difference(r, c);
  }
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      const double deviation = difference(r, c) - mean[c];
      variance[c] += weight * deviation * deviation;
    }
  }
  Transform transform = constant(columns, 1.0F);
  for (std::size_t c = 0; c < columns; ++c) {
    const double deviation = std::sqrt(variance[c]);
    // Below the smallest normal float the scale would overflow: such a column is as good as constant.
    const double scale = deviation > std::numeric_limits<float>::min() ? 1.0 / deviation : 1.0;
    transform.scale[c] = static_cast<float>(scale);
    transform.shift[c] = static_cast<float>(-(static_cast<double>(values[c]) + mean[c]) * scale);
  }
  return transform;
}

template <class Value>
Transform transform_of(std::span<const Value> values, std::size_t features, Standardise how) {
  if (how == Standardise::none) return constant(features, 1.0F);
  if (how == Standardise::unit) return constant(features, 1.0F / 255.0F);
  if (how == Standardise::feature) return standard(values, features);
  const Transform all = standard(values, 1);
  return {std::vector<float>(features, all.scale[0]), std::vector<float>(features, all.shift[0])};
}

}  // namespace

Standardise standardise_of(const Options& options, const Dataset& train) {
  const bool bytes = !train.bytes.empty();
  const std::string how =
      options.choice("standardise", {"none", "unit", "global", "feature"}, bytes ? "global" : "feature");
  if (how == "unit" && !bytes) {
    throw options.wrong("standardise", "none, global or feature: the rows are not bytes");
  }
  if (how == "unit") return Standardise::unit;
  if (how == "global") return Standardise::global;
  return how == "feature" ? Standardise::feature : Standardise::none;
}

void standardise(Split& split, Standardise how) {
  Dataset& train = split.train;
  Transform transform = train.bytes.empty()
                            ? transform_of(std::span<const float>(train.floats), train.features, how)
                            : transform_of(std::span<const std::uint8_t>(train.bytes), train.features, how);
  split.test.scale = train.scale = std::move(transform.scale);
  split.test.shift = train.shift = std::move(transform.shift);
}

}  // namespace popsgd::sim
