#include "numeric/kernels.h"

#include <popsgd/assert.h>
#include <popsgd/guard.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace popsgd {
namespace {

constexpr float kFactor = 1.7F;  // admitted: this many medians
constexpr float kFloor = 2.0F;   // or local updates, if that is more
constexpr float kGrowth = 1.5F;  // each refusal in a row but the first

// Rounded to nearest: a float's sign, exponent and 7 bits.
std::uint16_t shorten(float value) {
  return static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(value) + 0x8000U) >> 16);
}
float lengthen(std::uint16_t value) {
  return std::bit_cast<float>(std::uint32_t{value} << 16);
}

}  // namespace

Refusal examine(ConstParams theirs, float limit) noexcept {
  if (numeric::all_within(theirs.size(), theirs.data(), limit)) return Refusal::none;
  const bool finite = std::all_of(theirs.begin(), theirs.end(), [](float x) { return std::isfinite(x); });
  return finite ? Refusal::out_of_range : Refusal::not_finite;
}

float rms_distance(ConstParams a, ConstParams b) noexcept {
  POPSGD_ASSERT(a.size() == b.size());
  if (a.empty()) return 0;
  const double square = numeric::squared_distance(a.size(), a.data(), b.data());
  const double distance = std::sqrt(square / static_cast<double>(a.size()));
  constexpr double kMost = std::numeric_limits<float>::max();
  return static_cast<float>(distance > kMost ? std::numeric_limits<double>::infinity() : distance);
}

void Gate::remember(float distance, float updates, unsigned refusals) noexcept {
  const float most = radius(updates, refusals);
  distances_[recorded_ % kWindow] =
      shorten(std::min({distance, most, std::numeric_limits<float>::max() / 2}));
  recorded_ = static_cast<std::uint8_t>(recorded_ + 1U < 2 * kWindow ? recorded_ + 1 : kWindow);
}

float Gate::radius(float updates, unsigned refusals) const noexcept {
  constexpr float kAny = std::numeric_limits<float>::max();
  float radius = std::max(kFloor * updates, kFactor * median());
  if (radius == 0) return kAny;
  for (unsigned k = 1; k < refusals && radius < kAny; ++k) radius *= kGrowth;
  return std::min(radius, kAny);
}

bool Gate::sound() const noexcept {
  return std::all_of(distances_.begin(), distances_.end(), [](std::uint16_t distance) {
    return std::isfinite(lengthen(distance)) && !std::signbit(lengthen(distance));
  });
}

float Gate::median() const noexcept {
  if (recorded_ == 0) return 0;
  // Of positive floats the bits are in the order of the values.
  std::array<std::uint16_t, kWindow> sorted = distances_;
  const std::size_t count = std::min<std::size_t>(recorded_, kWindow);
  const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(count);
  std::sort(sorted.begin(), end);
  return 0.5F * (lengthen(sorted[(count - 1) / 2]) + lengthen(sorted[count / 2]));
}

}  // namespace popsgd
