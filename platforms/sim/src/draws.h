// Draws composed from the SDK's Random: a shuffle and a double.
#pragma once

#include <popsgd/random.h>

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace popsgd::sim {

/// Uniform in [0, 1), 53 bits: every value is a multiple of 2^-53.
[[nodiscard]] inline double uniform_double(Random& random) {
  return static_cast<double>(random.bits64() >> 11) * 0x1p-53;
}

/// Puts `values` (fewer than 2^32) in uniformly random order: Fisher and Yates.
template <typename T>
void shuffle(std::vector<T>& values, Random& random) {
  for (auto left = static_cast<std::uint32_t>(values.size()); left > 1; --left)
    std::swap(values[left - 1], values[random.below(left)]);
}

/// 0, 1, ... count - 1 in uniformly random order.
[[nodiscard]] inline std::vector<std::uint32_t> permutation(std::uint32_t count, Random& random) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  shuffle(order, random);
  return order;
}

}  // namespace popsgd::sim
