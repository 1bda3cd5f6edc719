// A randomised Hadamard rotation spreads what a few parameters differ by over all of them, so that a smaller step
// reaches the furthest (Ailon and Chazelle, STOC 2006).
//
//   z = 32 U S y      S: signs from the exchange's name, the same on both sides
//                     U: orthonormal, H / sqrt(n) in blocks of n
//
// A slice is cut into blocks of 1024, and its end into 256, 64, 16, 4 and 1: of powers of 4 the root is a power of
// two, so that 32 U = H * 32 / sqrt(n) holds whole numbers, and all blocks of a slice have one scale, however they
// are cut. The same for floats and integers: a step in z is one 32nd as large in y.
//
// Rotated values are quantised as any others. What comes out as the gap of both is rotated back, once more by 32: its
// step shrinks by 2^10.
#pragma once

#include <popsgd/gradient.h>
#include <popsgd/lattice/gap.h>
#include <popsgd/lattice/points.h>

#include <cstdint>

namespace popsgd::lattice {

/// Named by the exchange, and the slice within it.
struct Signs {
  std::uint32_t offset = 0;
  std::uint32_t slice = 0;
};

/// y <- 32 U S y.
void rotate(Params y, Signs signs) noexcept;
/// The same, exact for |y| <= 2^15: then |32 U S y| <= 2^25. Beyond 2^21 it is exact modulo 2^32.
void rotate(Points y, Signs signs) noexcept;

/// The gap of the models from that of their rotations: values <- 32 S U values, in place, and a step 2^10 finer.
/// Values are clamped to +-2^20 first, on both sides alike, so that 32 bits suffice.
[[nodiscard]] Gap rotate_back(Gap rotated, Signs signs) noexcept;

}  // namespace popsgd::lattice
