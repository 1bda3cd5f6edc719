#include "readers.h"

#include <popsgd/random.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace popsgd::sim {
namespace {

/// A uniformly random order of all rows (Durstenfeld, Algorithm 235, 1964).
std::vector<std::uint32_t> random_order(std::size_t rows, std::uint64_t seed) {
  std::vector<std::uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0U);
  Random random(seed, Purpose::split);
  for (std::size_t left = rows; left > 1; --left) {
    std::swap(order[left - 1], order[random.below(static_cast<std::uint32_t>(left))]);
  }
  return order;
}

/// The rows named by `index` of `width` values each, or nothing of nothing.
template <class Vector>
Vector take(const Vector& values, std::size_t width, std::span<const std::uint32_t> index) {
  Vector taken;
  if (values.empty()) return taken;
  taken.resize(index.size() * width);
  auto out = taken.begin();
  for (const std::uint32_t row : index) {
    const auto from = values.begin() + static_cast<std::ptrdiff_t>(row * width);
    out = std::copy_n(from, width, out);
  }
  return taken;
}

Dataset take_rows(const Dataset& all, std::span<const std::uint32_t> index) {
  return {.rows = index.size(),
          .features = all.features,
          .classes = all.classes,
          .outputs = all.outputs,
          .bytes = take(all.bytes, all.features, index),
          .floats = take(all.floats, all.features, index),
          .labels = take(all.labels, 1, index),
          .targets = take(all.targets, all.outputs, index),
          .scale = all.scale,
          .shift = all.shift};
}

double test_fraction(const Options& options) {
  const double fraction = options.real("test", 0.2, 0.0, 1.0);
  if (fraction > 0.0 && fraction < 1.0) return fraction;
  throw options.wrong("test", "a fraction between 0 and 1 of the rows, as in test=0.2");
}

}  // namespace

Split split_rows(const Dataset& all, const Options& options, std::uint64_t seed) {
  const double fraction = test_fraction(options);
  if (all.rows < 2 || all.rows > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(options.name() + ": has " + std::to_string(all.rows) +
                " row(s); 2 to 4294967295 can be split into training and test rows");
  }
  const auto wanted = static_cast<std::size_t>(std::llround(fraction * static_cast<double>(all.rows)));
  const std::size_t held_out = std::clamp<std::size_t>(wanted, 1, all.rows - 1);
  const std::vector<std::uint32_t> order = random_order(all.rows, seed);
  const std::span<const std::uint32_t> index(order);
  return {take_rows(all, index.subspan(held_out)), take_rows(all, index.first(held_out))};
}

}  // namespace popsgd::sim
