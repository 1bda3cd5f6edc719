#include "network/mobility.h"

#include "draws.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace popsgd::sim {
namespace {

double wrapped(double coordinate) {
  const double inside = coordinate - std::floor(coordinate);
  return inside < 1 ? inside : 0;  // a hair below 0 is rounded to 1
}

}  // namespace

RandomWaypoint::RandomWaypoint(std::uint32_t walkers, Random random) : random_(random), positions_(walkers) {
  for (Point& point : positions_) {
    point.x = uniform_double(random_);
    point.y = uniform_double(random_);
  }
  for (std::uint32_t k = 0; k < walkers; ++k) legs_.push_back(draw());
}

// As seen from anywhere, a uniform point of the torus is uniform in the square around.
RandomWaypoint::Leg RandomWaypoint::draw() {
  const double x = uniform_double(random_) - 0.5;
  const double y = uniform_double(random_) - 0.5;
  const double length = std::hypot(x, y);
  return length > 0 ? Leg{x / length, y / length, length} : Leg{1, 0, 0};
}

void RandomWaypoint::advance(double distance) {
  for (std::size_t k = 0; k < legs_.size(); ++k) {
    Point& at = positions_[k];
    Leg& leg = legs_[k];
    for (double left = distance; left > 0;) {
      if (leg.left <= 0) leg = draw();
      const double stretch = std::min(left, leg.left);
      at = {wrapped(at.x + stretch * leg.x), wrapped(at.y + stretch * leg.y)};
      leg.left -= stretch;
      left -= stretch;
    }
  }
}

double radius_on_torus(double degree, std::uint32_t others) {
  return std::sqrt(degree / (std::numbers::pi * others));
}

}  // namespace popsgd::sim
