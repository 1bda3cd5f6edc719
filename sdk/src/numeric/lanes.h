// A vector of floats as wide as the target's registers, by the compilers' vector extension.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

namespace popsgd::numeric {

#if defined(__AVX512F__)
inline constexpr std::size_t kLanes = 16;
#elif defined(__AVX__)
inline constexpr std::size_t kLanes = 8;
#elif defined(__SSE__) || defined(__ARM_NEON)
inline constexpr std::size_t kLanes = 4;
#else
inline constexpr std::size_t kLanes = 1;  // a microcontroller: plain floats, no code for shuffles
#endif

/// How many registers of that width a kernel may count on.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr std::size_t kRegisters = 32;
#else
inline constexpr std::size_t kRegisters = 16;
#endif

/// Before a loop: written out so many times where neither vectors nor size keep it from being so.
#if defined(__OPTIMIZE_SIZE__) || defined(__SSE__) || defined(__ARM_NEON)
#define POPSGD_WRITTEN_OUT(times)
#else
#define POPSGD_PRAGMA(text) _Pragma(#text)
#define POPSGD_WRITTEN_OUT(times) POPSGD_PRAGMA(GCC unroll times)
#endif

/// Without vectors: whether code is dear, so that loops are not written out for each case and kind, or instructions are.
#if defined(__OPTIMIZE_SIZE__)
constexpr bool kSmall = kLanes == 1;
#else
constexpr bool kSmall = false;
#endif
constexpr bool kScalar = kLanes == 1 && !kSmall;

template <std::size_t Width>
struct LanesOf {
  using Type [[gnu::vector_size(Width * sizeof(float))]] = float;
};
template <>
struct LanesOf<1> {
  using Type = float;
};
template <std::size_t Width>
using LanesN = typename LanesOf<Width>::Type;
using Lanes = LanesN<kLanes>;

template <typename L = Lanes>
[[gnu::always_inline]] inline L load(const float* p) {
  if constexpr (std::is_same_v<L, float>) {
    return *p;  // aligned: some processors' floats have to be
  } else {
    L v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
}

template <typename L>
[[gnu::always_inline]] inline void store(float* p, L v) {
  if constexpr (std::is_same_v<L, float>)
    *p = v;
  else
    std::memcpy(p, &v, sizeof v);
}

template <typename L = Lanes>
[[gnu::always_inline]] inline L broadcast(float x) {
  return x - L{};  // not L{} + x, which would have to turn -0 into +0
}

/// A step of many horizontal sums at once. Each lane of u and v belongs to a section of `Section` lanes; every section is
/// folded in half (lane k + lane k + Section / 2), and the folded sections of u are put before those of v.
template <std::size_t Section, std::size_t Width>
[[gnu::always_inline]] inline LanesN<Width> fold(LanesN<Width> u, LanesN<Width> v) {
  constexpr std::size_t kHalf = Section / 2;
  return [ u, v ]<std::size_t... K>(std::index_sequence<K...>) __attribute__((always_inline)) {
    return __builtin_shufflevector(u, v, (K / kHalf * Section + K % kHalf)...) +
           __builtin_shufflevector(u, v, (K / kHalf * Section + K % kHalf + kHalf)...);
  }
  (std::make_index_sequence<Width>{});
}

/// The sums of the lanes of v[0], ..., v[Count - 1], Count a power of two up to the width: lane k of the result holds, in
/// sections of Width / Count, what is left of v[k] (for Count = Width, its sum). Every sum is
/// taken by halves: k with k + Width / 2, and so on.
template <std::size_t Count = kLanes, std::size_t Width = kLanes>
[[gnu::always_inline]] inline LanesN<Width> sums(const LanesN<Width>* v) {
  if constexpr (Count == 1) {
    return v[0];
  } else {
    return fold<2 * Width / Count, Width>(sums<Count / 2, Width>(v), sums<Count / 2, Width>(v + Count / 2));
  }
}

/// Sum of the lanes by halves: k with k + Width / 2, and so on; always in the same order.
template <std::size_t Width>
[[gnu::always_inline]] inline float sum_lanes(LanesN<Width> v) {
  if constexpr (Width == 1) {
    return v;
  } else if constexpr (Width == 2) {
    return v[0] + v[1];
  } else {
    return [v]<std::size_t... K>(std::index_sequence<K...>) __attribute__((always_inline)) {
      return sum_lanes<Width / 2>(__builtin_shufflevector(v, v, K...) +
                                  __builtin_shufflevector(v, v, (K + Width / 2)...));
    }
    (std::make_index_sequence<Width / 2>{});
  }
}

[[gnu::always_inline]] inline float sum(Lanes v) {
  return sum_lanes<kLanes>(v);
}

}  // namespace popsgd::numeric
