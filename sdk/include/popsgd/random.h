// Counter-based random numbers: every draw is a pure function of (seed, stream, counter).
#pragma once

#include <popsgd/numeric.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace popsgd {

/// Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3,
/// SC'11): two 32-bit words from a 64-bit counter under a 64-bit key, by additions, rotations and XORs
/// alone, so that it is as fast on a core without a multiplier as in the lanes of a vector unit.
struct Threefry {
 private:  // first, or clang 14 cannot use block() in a constant expression
  template <int A, int B, int C, int D>
  static constexpr void four_rounds(std::uint32_t& x, std::uint32_t& y) {
    round<A>(x, y);
    round<B>(x, y);
    round<C>(x, y);
    round<D>(x, y);
  }
  template <int R>
  static constexpr void round(std::uint32_t& x, std::uint32_t& y) {
    x += y;
    y = (y << R | y >> (32 - R)) ^ x;
  }
  static constexpr void inject(std::uint32_t& x, std::uint32_t& y, std::uint32_t a, std::uint32_t b,
                               std::uint32_t i) {
    x += a;
    y += b + i;
  }

  // All rounds of a block, whose injected keys are in the order they are first used in.
  static constexpr std::array<std::uint32_t, 2> rolled_up(std::uint32_t x, std::uint32_t y,
                                                          std::array<std::uint32_t, 3> keys) {
    constexpr std::array<std::uint8_t, 8> kRotations{13, 15, 26, 6, 17, 29, 16, 24};
    for (std::uint32_t round = 0; round < 20; ++round) {
      x += y;
      y = std::rotl(y, kRotations[round % 8]) ^ x;
      if (round % 4 != 3) continue;
      inject(x, y, keys[0], keys[1], round / 4 + 1);
      keys = {keys[1], keys[2], keys[0]};
    }
    return {x, y};
  }

 public:
  std::uint32_t key0;
  std::uint32_t key1;

  /// The two words of block (c0, c1). Any block may be asked for at any time, in any order.
  [[nodiscard]] constexpr std::array<std::uint32_t, 2> block(std::uint32_t c0, std::uint32_t c1) const {
    const std::uint32_t key2 = key0 ^ key1 ^ 0x1BD11BDAU;
    std::uint32_t x = c0 + key0;
    std::uint32_t y = c1 + key1;
    if constexpr (kScarce) return rolled_up(x, y, {key1, key2, key0});
    four_rounds<13, 15, 26, 6>(x, y);
    inject(x, y, key1, key2, 1);
    four_rounds<17, 29, 16, 24>(x, y);
    inject(x, y, key2, key0, 2);
    four_rounds<13, 15, 26, 6>(x, y);
    inject(x, y, key0, key1, 3);
    four_rounds<17, 29, 16, 24>(x, y);
    inject(x, y, key1, key2, 4);
    four_rounds<13, 15, 26, 6>(x, y);
    inject(x, y, key2, key0, 5);
    return {x, y};
  }
};

/// The streams a seed is split into. A stream's number is part of every saved result: append, never renumber.
enum class Purpose : std::uint32_t {
  initial_model = 1,
  pairs = 2,
  batches = 3,
  local_steps = 4,
  shards = 5,
  topology = 6,
  data = 7,
  split = 8,
  measurement = 9,
  speeds = 10,
  exchange = 11,
  network = 12,
  rounding = 13,
  discovery = 14,
  privacy = 15,         ///< of simulated devices: those of flesh draw noise from their Entropy
  user = 0x8000'0000U,  ///< from here on: the application's own
};

/// A named stream of a seed, read in order. Copying it copies its place.
class Random {
 public:
  /// Stream (`purpose`, `index`) of `seed`; index tells apart the agents, layers or repeats of one purpose.
  constexpr Random(std::uint64_t seed, Purpose purpose, std::uint32_t index = 0)
      : threefry_(key(seed, purpose, index)) {}

  /// The generator's key for direct access by counter.
  [[nodiscard]] static constexpr Threefry key(std::uint64_t seed, Purpose purpose, std::uint32_t index = 0) {
    const Threefry root{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
    const auto k = root.block(static_cast<std::uint32_t>(purpose), index);
    return {k[0], k[1]};
  }

  /// 32 uniform bits.
  [[nodiscard]] constexpr std::uint32_t bits() {
    if ((drawn_++ & 1U) != 0) return spare_;
    const std::uint64_t block = (drawn_ - 1) >> 1;
    const auto words =
        threefry_.block(static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32));
    spare_ = words[1];
    return words[0];
  }

  /// 64 uniform bits.
  [[nodiscard]] constexpr std::uint64_t bits64() {
    const std::uint64_t high = bits();
    return high << 32 | bits();
  }

  /// Uniform in [0, 1), 24 bits: every value is a multiple of 2^-24.
  [[nodiscard]] constexpr float uniform() { return static_cast<float>(bits() >> 8) * 0x1p-24F; }

  /// Uniform in [0, bound) for bound >= 1, exact: Lemire, Fast Random Integer Generation in an
  /// Interval, 2019 (multiply, and redraw the few values that would be over-represented).
  [[nodiscard]] constexpr std::uint32_t below(std::uint32_t bound) {
    std::uint64_t product = std::uint64_t{bits()} * bound;
    if (static_cast<std::uint32_t>(product) < bound) {
      const std::uint32_t excess = (0U - bound) % bound;
      while (static_cast<std::uint32_t>(product) < excess) product = std::uint64_t{bits()} * bound;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

  /// Standard normal, by the transform of Box and Muller, 1958.
  [[nodiscard]] float normal() {
    const float radius = std::sqrt(-2.0F * std::log(1.0F - uniform()));
    return radius * std::cos(6.2831853F * uniform());
  }

 private:
  Threefry threefry_;
  std::uint64_t drawn_ = 0;
  std::uint32_t spare_ = 0;
};

}  // namespace popsgd
