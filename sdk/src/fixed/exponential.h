// exp and log of fixed-point numbers.
#pragma once

#include <cstdint>

namespace popsgd::fixed {

inline constexpr int kUnitFraction = 30;  ///< of what lies between 0 and 1: exponentials, probabilities
inline constexpr std::uint32_t kUnit = std::uint32_t{1} << kUnitFraction;

/// e^-x for x in units of 2^-16, in units of 2^-30: relative error below 4e-6, and below 2^-29 absolute.
[[nodiscard]] std::uint32_t exponential_of_minus(std::uint32_t x) noexcept;

/// ln x for x in units of 2^-30, x >= 2^-30, in units of 2^-16: error below 2^-16.
[[nodiscard]] std::int64_t logarithm(std::uint64_t x) noexcept;

}  // namespace popsgd::fixed
