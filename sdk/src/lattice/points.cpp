#include "lattice/quantiser.h"

#include <popsgd/assert.h>
#include <popsgd/lattice/points.h>

#include <algorithm>
#include <bit>

namespace popsgd::lattice {
float power_of_two(int exponent) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 127) << 23);
}

void quantise(const Values& values, Lattice lattice, Points points) noexcept {
  POPSGD_ASSERT(points.size() == values.size());
  if (numeric::kLanes == 1 && values.integer()) {
    return integer_points(values.integers(), values.fraction(), lattice.exponent, Sequence(lattice.dither),
                          points.data());
  }
  with_points(values, lattice, [=](const auto point) {
    in_slices(point, points.size(), [=](std::size_t k, const auto slice, auto length) {
      store_points(slice, length, points.data() + k);
    });
  });
}

void integer_points(ConstPoints integers, int fraction, int exponent, Sequence uniform,
                    std::int32_t* points) noexcept {
  with_points(integers, fraction, exponent, uniform,
              [=](const auto point) { store_points(point, integers.size(), points); });
}

int finest_exponent(const Values& values) noexcept {
  if (values.integer()) return -values.fraction();
  // The order of magnitudes is that of their bits; those that are not finite count as the largest finite one.
  std::uint32_t largest = 0;
  for (const float value : values.floats())
    largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFFU);
  const int exponent = static_cast<int>(std::min<std::uint32_t>(largest >> 23, 254U)) - 127;
  return std::max(exponent - 23, -kMostExponent);
}

}  // namespace popsgd::lattice
