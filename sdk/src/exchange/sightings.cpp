#include "exchange/sightings.h"

#include <algorithm>

namespace popsgd {

Sketch sketch(ConstParams block, std::uint32_t signs) {
  // The sign of parameter k is the top bit of a linear congruential sequence (Knuth's MMIX has the same form; these
  // constants are those of Numerical Recipes).
  Sketch sums{};
  for (std::size_t k = 0; k < block.size(); ++k) {
    signs = signs * 1664525U + 1013904223U;
    sums[k % sums.size()] += (signs >> 31) != 0 ? block[k] : -block[k];
  }
  return sums;
}

template <std::size_t Places>
bool Sightings::Ring<Places>::has(const Place& place, float squared) const {
  return std::any_of(places.begin(), places.end(), [&](const Place& known) {
    float sum = 0;
    for (std::size_t k = 0; k < place.sketch.size(); ++k) {
      const float difference = place.sketch[k] - known.sketch[k];
      sum += difference * difference;
    }
    return known.offset == place.offset && sum < squared;
  });
}

bool Sightings::stands_still(std::uint32_t offset, const Sketch& there, std::size_t length, float distance) {
  const Place place{offset, there};
  const float same = kSame * distance;
  const float squared = same * same * static_cast<float>(length);
  if (twice_.has(place, squared)) return true;
  if (once_.has(place, squared)) twice_.push(place);
  return false;
}

void Sightings::remember(std::uint32_t offset, const Sketch& there) {
  once_.push({offset, there});
}

}  // namespace popsgd
