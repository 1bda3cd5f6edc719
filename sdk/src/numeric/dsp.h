// What the larger microcontrollers do in one instruction (Arm C Language Extensions), and everything else in a few.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#if defined(__ARM_FEATURE_SAT) || defined(__ARM_FEATURE_SIMD32)
#include <arm_acle.h>
#endif

namespace popsgd::numeric {

/// The nearest integer of so many bits with a sign.
template <unsigned Bits>
[[gnu::always_inline]] inline std::int32_t saturated(std::int32_t x) {
#if defined(__ARM_FEATURE_SAT)
  return __ssat(x, Bits);
#else
  constexpr std::int32_t kMost = (std::int32_t{1} << (Bits - 1)) - 1;
  return std::clamp(x, -kMost - 1, kMost);
#endif
}

#if defined(__ARM_FEATURE_SIMD32)
inline constexpr bool kPairs = true;  ///< products of 16 bits are made and added two at a time
#else
inline constexpr bool kPairs = false;
#endif

/// Two integers of 16 bits that lie side by side, at any address.
using Pair = std::int32_t;
[[gnu::always_inline]] inline Pair pair_at(const std::int16_t* two) {
  Pair pair;
  std::memcpy(&pair, two, sizeof pair);
  return pair;
}

/// sum + a0 * b0 + a1 * b1, which must fit 32 bits.
[[gnu::always_inline]] inline std::int32_t add_products(Pair a, Pair b, std::int32_t sum) {
#if defined(__ARM_FEATURE_SIMD32)
  return __smlad(a, b, sum);
#else
  const auto low = [](Pair p) { return std::int32_t{static_cast<std::int16_t>(p & 0xFFFF)}; };
  return sum + low(a) * low(b) + (a >> 16) * (b >> 16);
#endif
}

}  // namespace popsgd::numeric
