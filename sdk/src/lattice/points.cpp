#include "lattice/quantiser.h"

#include <popsgd/assert.h>
#include <popsgd/lattice/points.h>

#include <algorithm>
#include <bit>

namespace popsgd::lattice {
float power_of_two(int exponent) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 127) << 23);
}

void quantise(Values values, Lattice lattice, Points points) noexcept {
  POPSGD_ASSERT(points.size() == values.size());
  with_points(values, lattice, [=](const auto point) {
    in_slices(point, points.size(), [=](std::size_t k, const auto slice, auto length) {
      std::int32_t* __restrict out = points.data() + k;
      for (std::size_t j = 0; j < length; ++j) out[j] = slice(j);
    });
  });
}

int finest_exponent(Values values) noexcept {
  if (values.integer()) return -values.fraction();
  // The order of magnitudes is that of their bits; those that are not finite count as the largest finite one.
  std::uint32_t largest = 0;
  for (const float value : values.floats())
    largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFFU);
  const int exponent = static_cast<int>(std::min<std::uint32_t>(largest >> 23, 254U)) - 127;
  return std::max(exponent - 23, -kMostExponent);
}

}  // namespace popsgd::lattice
