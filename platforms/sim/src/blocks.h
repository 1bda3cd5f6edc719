// Many blocks of a counter-based stream at once: one vector instruction serves many counters.
#pragma once

#include <popsgd/random.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::sim {

/// words0[k], words1[k] = the two words of block (first + k) * stride.
inline void fill_blocks(Threefry random, std::uint64_t first, std::uint64_t stride,
                        std::span<std::uint32_t> words0, std::span<std::uint32_t> words1) {
  const std::size_t count = words0.size();
  std::uint32_t* __restrict out0 = words0.data();
  std::uint32_t* __restrict out1 = words1.data();
  for (std::size_t k = 0; k < count; ++k) {
    const std::uint64_t counter = (first + k) * stride;
    const auto words =
        random.block(static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32));
    out0[k] = words[0];
    out1[k] = words[1];
  }
}

/// A uniform number below `bound` from 32 random bits: floor(bits * bound / 2^32), whose probabilities differ from
/// 1 / bound by at most 2^-32.
constexpr std::uint32_t below(std::uint32_t bits, std::uint32_t bound) {
  return static_cast<std::uint32_t>(std::uint64_t{bits} * bound >> 32);
}

/// The same from a 64-bit fraction, which is replaced by what is left of it: the position inside the chosen
/// interval, itself uniform, from which a next number can be drawn. Probabilities are off by at most 2^-64.
constexpr std::uint32_t take_below(std::uint64_t& fraction, std::uint32_t bound) {
#if defined(__SIZEOF_INT128__)
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(fraction) * bound;
  fraction = static_cast<std::uint64_t>(product);
  return static_cast<std::uint32_t>(product >> 64);
#else  // 32-bit machines: the same in halves
  const std::uint64_t low = (fraction & 0xFFFFFFFF) * bound;
  const std::uint64_t high = (fraction >> 32) * bound + (low >> 32);
  fraction = high << 32 | (low & 0xFFFFFFFF);
  return static_cast<std::uint32_t>(high >> 32);
#endif
}

}  // namespace popsgd::sim
