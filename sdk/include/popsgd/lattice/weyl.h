// The randomness that the two partners of an exchange share: two sequences of one 32-bit number, made from its name.
#pragma once

#include <popsgd/random.h>

#include <cstddef>
#include <cstdint>

namespace popsgd::lattice {

/// The sequence first + k * Step modulo 2^32 (Weyl, 1916): evenly spread, an addition an element, and any element at
/// any time. As a fraction at(k) / 2^32 each element is uniform over [0, 1) if `first` is.
template <std::uint32_t Step>
struct Weyl {
  std::uint32_t first = 0;

  [[nodiscard]] constexpr std::uint32_t at(std::size_t k) const {
    return first + static_cast<std::uint32_t>(k) * Step;
  }
  /// The sequence from element k on.
  [[nodiscard]] constexpr Weyl from(std::size_t k) const { return {at(k)}; }
};

/// What makes points of values: the step is 2^32 over the golden ratio.
using Dither = Weyl<0x9E3779B9U>;

/// What rounds the half that both partners move by: 2^32 over the square of the plastic number, so that within one
/// exchange the pairs of dither and coin fill the square.
using Coins = Weyl<0x91E10DA5U>;

[[nodiscard]] constexpr Dither dither_of(std::uint32_t offset) {
  return {offset};
}

/// Another beginning than the dither's, of which it says nothing.
[[nodiscard]] constexpr Coins coins_of(std::uint32_t offset) {
  return {Threefry{offset, 0x636F696EU}.block(0, 0)[0]};
}

}  // namespace popsgd::lattice
