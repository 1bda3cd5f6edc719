#include "exchange/steps.h"

#include <popsgd/lattice/encoding.h>

#include <algorithm>

namespace popsgd {
namespace {

constexpr std::uint8_t kAutomaticBits = 4;
constexpr std::uint8_t kMostExtra = 4;
constexpr std::uint8_t kSmooth = 64;  // blocks without a wrap for which an extra bit stays

constexpr std::uint8_t kRotated = 16;

}  // namespace

std::byte Encoding::pack() const {
  const int width = bits == 0 ? 0 : bits - 1;
  return static_cast<std::byte>(width | (rotated ? kRotated : 0));
}

std::optional<Encoding> Encoding::unpack(std::byte packed) {
  const auto value = std::to_integer<std::uint8_t>(packed);
  const std::uint8_t width = value & (kRotated - 1);
  if (value >= 2 * kRotated) return {};
  return Encoding{.bits = static_cast<std::uint8_t>(width == 0 ? 0 : width + 1),
                  .rotated = value >= kRotated};
}

std::uint8_t Steps::base() const {
  return quantisation_.width == Width::fixed ? quantisation_.bits : kAutomaticBits;
}

// Twice as many at each attempt; after the most there are, and at last, raw.
std::uint8_t Steps::bits(std::uint8_t attempt) const {
  if (!quantises() || attempt + 1 >= kAttempts) return 0;
  const int first = base() + extra_;
  const int before = attempt == 0 ? 0 : first << (attempt - 1);
  if (before >= lattice::kMostBits) return 0;
  return static_cast<std::uint8_t>(std::min(first << attempt, lattice::kMostBits));
}

void Steps::came_through(bool first_attempt) {
  if (quantisation_.width != Width::automatic) return;
  if (!first_attempt) {
    extra_ = std::min<std::uint8_t>(static_cast<std::uint8_t>(extra_ + 1), kMostExtra);
    smooth_ = 0;
  } else if (extra_ > 0 && ++smooth_ == kSmooth) {
    --extra_;
    smooth_ = 0;
  }
}

}  // namespace popsgd
