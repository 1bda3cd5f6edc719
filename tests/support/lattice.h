// Points by their definition, and memory that tells whether anything outside of it has been written.
#pragma once

#include <popsgd/lattice/points.h>
#include <popsgd/random.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace popsgd::test {

/// floor(y / step + u) of a value that is a whole number of units: `shift` is log2 of the step in units.
inline std::int32_t point_by_definition(std::int64_t y, int shift, std::uint32_t u) {
  const std::int64_t most = lattice::kFurthest;
  shift = std::clamp(shift, -31, 31);
  const std::int64_t point =
      shift <= 0 ? y * (std::int64_t{1} << -shift) : (y + (u >> (32 - shift))) >> shift;
  return static_cast<std::int32_t>(std::clamp(point, -most, most));
}

/// The same of a float: its fraction of a step cut off, and u, at 30 binary places.
inline std::int32_t point_by_definition(float y, int exponent, std::uint32_t u) {
  constexpr double kMost = lattice::kFurthest;
  if (std::isnan(y)) return std::signbit(y) ? -lattice::kFurthest : lattice::kFurthest;
  const double t = std::clamp(std::ldexp(static_cast<double>(y), -exponent), -kMost, kMost);
  const double whole = std::trunc(t);
  const double rest = std::trunc((t - whole) * 0x1p30) + static_cast<double>(u >> 2);
  return static_cast<std::int32_t>(whole + std::floor(rest * 0x1p-30));
}

/// `count` elements of which the first lies `margin` elements into its memory, between guards.
template <typename T>
class Guarded {
 public:
  Guarded(std::size_t count, std::size_t margin, T guard)
      : count_(count), margin_(margin), guard_(guard), memory_(count + 2 * margin, guard) {}
  std::span<T> span() { return std::span(memory_).subspan(margin_, count_); }
  [[nodiscard]] bool intact() const {
    const auto is_guard = [this](T value) { return value == guard_; };
    return std::all_of(memory_.begin(), memory_.begin() + static_cast<std::ptrdiff_t>(margin_), is_guard) &&
           std::all_of(memory_.end() - static_cast<std::ptrdiff_t>(margin_), memory_.end(), is_guard);
  }

 private:
  std::size_t count_;
  std::size_t margin_;
  T guard_;
  std::vector<T> memory_;
};

/// Uniform in [least, most].
inline std::int32_t between(Random& random, std::int32_t least, std::int32_t most) {
  return least + static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(most - least) + 1));
}

}  // namespace popsgd::test
