#include "exchange/steps.h"

#include <popsgd/lattice/encoding.h>

#include <algorithm>

namespace popsgd {
namespace {

constexpr std::uint8_t kAutomaticBits = 4;

// An encoding's byte.
constexpr std::uint8_t kWidths = 16;
constexpr std::uint8_t kRotated = 16;
constexpr std::uint8_t kAgain = 32;

// Bits more than at first. One reaches twice as far: seldom too little, and cheaper on average than two.
constexpr int kMore[kAttempts - 1] = {0, 1, 8};
constexpr int kWary = 2;

}  // namespace

std::byte Encoding::pack() const {
  const int width = bits == 0 ? 0 : bits - 1;
  return static_cast<std::byte>(width | (rotated ? kRotated : 0) | (again ? kAgain : 0));
}

std::optional<Encoding> Encoding::unpack(std::byte packed) {
  const auto value = std::to_integer<std::uint8_t>(packed);
  const std::uint8_t width = value % kWidths;
  if (value >= 2 * kAgain || (!has(Part::rotation) && (value & kRotated) != 0)) return {};
  return Encoding{.bits = static_cast<std::uint8_t>(width == 0 ? 0 : width + 1),
                  .rotated = (value & kRotated) != 0,
                  .again = (value & kAgain) != 0};
}

std::uint8_t Steps::base() const {
  return quantisation_.width == Width::fixed ? quantisation_.bits : kAutomaticBits;
}

// Who chooses takes more at once if the last block has needed them, or its partner's has.
std::uint8_t Steps::bits(std::uint8_t attempt, std::uint8_t heard) const {
  if (!quantises() || attempt + 1 >= kAttempts) return 0;
  const bool wary = quantisation_.width == Width::automatic && (distant_ || heard > base());
  const int bits = base() + kMore[attempt] + (wary ? kWary : 0);
  return static_cast<std::uint8_t>(std::min(bits, lattice::kMostBits));
}

void Steps::observe(std::size_t tensor, std::size_t offset, lattice::Distance seen, bool distant) {
  if (seen.steps == 0) seen.steps = 1;  // models that agree are known to be close
  at(tensor, offset).observe(seen, tight());
  distant_ |= distant;
}

}  // namespace popsgd
