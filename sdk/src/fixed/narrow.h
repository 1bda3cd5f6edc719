// 32-bit errors become 16-bit numbers with a power of two in common, chosen so that the largest use all bits and the
// sums that are made of them still fit into 32. (Block floating point: Wilkinson 1963, Rounding Errors in Algebraic
// Processes.)
#pragma once

#include <cstddef>
#include <cstdint>

namespace popsgd::fixed {

/// into[r][j] = errors[r][j] * 2^-n to nearest, with the smallest n >= 0 for which the magnitudes of every row
/// add up to at most `most`, itself at least 2 * outputs. Returns n.
int narrow_errors(std::size_t rows, std::size_t outputs, const std::int32_t* errors, std::uint32_t most,
                  std::int16_t* into) noexcept;

/// into[j][r] = errors[r][j] * mantissa * 2^-n to nearest, transposed, with the smallest n >= `least` for which the
/// magnitudes of every output's add up to at most `most`, itself at least 2 * rows. mantissa < 2^31. Returns n.
int narrow_steps(std::size_t rows, std::size_t outputs, const std::int32_t* errors, std::uint32_t mantissa,
                 int least, std::uint32_t most, std::int16_t* into) noexcept;

}  // namespace popsgd::fixed
