#include "exchange/sightings.h"

#include "numeric/kernels.h"

#include <algorithm>

namespace popsgd {

Sketch sketch(ConstParams block, std::uint32_t signs) {
  // The sign of parameter k is the top bit of a linear congruential sequence (the constants: Press et al., Numerical
  // Recipes, 7.1).
  Sketch sums{};
  std::size_t sum = 0;
  for (const float x : block) {
    signs = signs * 1664525U + 1013904223U;
    sums[sum] += (signs >> 31) != 0 ? x : -x;
    sum = (sum + 1) % sums.size();
  }
  return sums;
}

template <std::size_t Places>
bool Sightings::Ring<Places>::has(const Place& place, float squared) const {
  return std::any_of(places.begin(), places.end(), [&](const Place& known) {
    const double square =
        numeric::squared_distance(place.sketch.size(), place.sketch.data(), known.sketch.data());
    return known.offset == place.offset && square < static_cast<double>(squared);
  });
}

bool Sightings::stands_still(std::size_t offset, ConstParams theirs, float distance) {
  last_ = {static_cast<std::uint32_t>(offset), sketch(theirs, signs_)};
  const float same = kSame * distance;
  const float squared = same * same * static_cast<float>(theirs.size());
  if (twice_.has(last_, squared)) return true;
  if (once_.has(last_, squared)) twice_.push(last_);
  return false;
}

void Sightings::remember() {
  if (last_.offset != UINT32_MAX) once_.push(last_);
  forget();
}

}  // namespace popsgd
