#include "fixed/exponential.h"

#include "fixed/arithmetic.h"

#include <array>
#include <bit>
#include <cstddef>

namespace popsgd::fixed {
namespace {

constexpr int kIndexBits = 7;
constexpr std::size_t kIntervals = std::size_t{1} << kIndexBits;

// 2^-1, 2^-1/2, 2^-1/4 ... 2^-1/128, in units of 2^-31.
constexpr std::array<std::uint32_t, kIndexBits + 1> kRoots = [] {
  std::array<std::uint32_t, kIndexBits + 1> roots{};
  std::uint64_t root = std::uint64_t{1} << 61;  // in units of 2^-62
  for (std::uint32_t& rounded : roots) {
    rounded = static_cast<std::uint32_t>(root >> 31);
    root = std::uint64_t{square_root(root)} << 31;
  }
  return roots;
}();

// `power` by those of the roots from 2^-(first / 128) on that k has the bits of, one after the other.
constexpr std::uint32_t times_roots(std::uint32_t power, std::size_t k, std::size_t first) {
  std::size_t place = kIndexBits - static_cast<std::size_t>(std::countr_zero(first));
  for (std::size_t bit = first; bit != 0; bit /= 2, ++place) {
    if ((k & bit) != 0)
      power = static_cast<std::uint32_t>(shift_right(std::int64_t{power} * kRoots[place], 31));
  }
  return power;
}

// 2^-(k / 128) for k = 0 to 128, in units of 2^-30. Straight lines between them are off by (ln 2 / 128)^2 / 8 = 3.7e-6 of the
// value at most. Where flash is scarce every 8th is kept, of which the others are made as all are: to the same bits.
constexpr std::size_t kApart = kScarce ? 8 : 1;
constexpr auto kPowers = [] {
  std::array<std::uint32_t, kIntervals / kApart + 1> table{};
  for (std::size_t k = 0; k < table.size(); ++k) table[k] = times_roots(kUnit, kApart * k, kIntervals);
  return table;
}();
constexpr std::uint32_t power(std::size_t k) {
  return kApart == 1 ? kPowers[k] : times_roots(kPowers[k / kApart], k, kApart / 2);
}

constexpr std::uint64_t kLog2E = 1549082005;  // log2 e, in units of 2^-30
constexpr std::int64_t kLn2 = 744261118;      // ln 2, in units of 2^-30

}  // namespace

std::uint32_t exponential_of_minus(std::uint32_t x) noexcept {
  constexpr int kFraction = 24;
  const std::uint64_t t = x * kLog2E >> (16 + 30 - kFraction);  // e^-x = 2^-t
  const std::uint64_t whole = t >> kFraction;
  if (whole > kUnitFraction) return 0;
  constexpr int kRestBits = kFraction - kIndexBits;
  const std::size_t index = t >> kRestBits & (kIntervals - 1);
  const std::uint64_t rest = t & ((std::uint64_t{1} << kRestBits) - 1);
  const std::uint32_t from = power(index);
  const std::uint64_t fall = from - power(index + 1);
  return (from - static_cast<std::uint32_t>(fall * rest >> kRestBits)) >> whole;
}

std::int64_t logarithm(std::uint64_t x) noexcept {
  // log2 x, digit by digit: squaring the mantissa doubles its logarithm, whose whole part is the next digit.
  constexpr int kDigits = 20;
  const int exponent = static_cast<int>(std::bit_width(x)) - 1;
  std::uint64_t mantissa = exponent > 31 ? x >> (exponent - 31) : x << (31 - exponent);  // 1 to 2, of 2^-31
  std::int64_t log2 = exponent - kUnitFraction;
  for (int digit = 0; digit < kDigits; ++digit) {
    mantissa = mantissa * mantissa >> 31;
    const std::uint64_t carry = mantissa >> 32;
    mantissa >>= carry;
    log2 = 2 * log2 + static_cast<std::int64_t>(carry);
  }
  return shift_right(log2 * kLn2, kDigits + 30 - 16);
}

}  // namespace popsgd::fixed
