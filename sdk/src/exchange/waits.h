// Waiting times, drawn in integers: the same on every target, and without floating point, which is dear on a small one.
#pragma once

#include "fixed/exponential.h"

#include <popsgd/random.h>

#include <algorithm>
#include <cstdint>

namespace popsgd {

/// Milliseconds of an exponential distribution with this mean, which is memoryless; 1 to 17 means.
[[nodiscard]] inline std::uint32_t exponential_wait(std::uint32_t mean, Random& random) {
  const std::uint32_t uniform = (1U << 24) - (random.bits() >> 8);  // of (0, 1], in units of 2^-24
  const std::int64_t drawn = -fixed::logarithm(std::uint64_t{uniform} << (fixed::kUnitFraction - 24));
  return std::max<std::uint32_t>(1,
                                 static_cast<std::uint32_t>(mean * static_cast<std::uint64_t>(drawn) >> 16));
}

/// Milliseconds evenly spread by half of the time around it, or by a quarter (narrower = 1); at least 1.
[[nodiscard]] inline std::uint32_t spread_wait(std::uint32_t milliseconds, Random& random, int narrower = 0) {
  const std::uint64_t width = std::uint64_t{milliseconds} * random.bits() >> (32 + narrower);
  const std::uint32_t least = milliseconds - (milliseconds >> (1 + narrower));
  return std::max<std::uint32_t>(1, least + static_cast<std::uint32_t>(width));
}

}  // namespace popsgd
