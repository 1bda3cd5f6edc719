// Random waypoint mobility: who walks where.
#pragma once

#include "topology/cell_grid.h"

#include <popsgd/random.h>

#include <cstdint>
#include <span>
#include <vector>

namespace popsgd::sim {

/// Walkers on the unit torus, each of whom goes straight, by the shortest way, to a uniformly random point, then to
/// another, and never rests (Johnson and Maltz, 1996). On the torus they are at all times independent and uniform;
/// on the square they would crowd in the middle (Bettstetter, Resta and Santi, 2003), and the number of those in
/// reach with them.
class RandomWaypoint {
 public:
  RandomWaypoint(std::uint32_t walkers, Random random);

  /// Everyone walks so far, in sides of the torus.
  void advance(double distance);

  [[nodiscard]] std::span<const Point> positions() const { return positions_; }

 private:
  /// What is left of the way to the next point.
  struct Leg {
    double x;  ///< direction, of length 1
    double y;
    double left;
  };
  [[nodiscard]] Leg draw();

  Random random_;
  std::vector<Point> positions_;
  std::vector<Leg> legs_;
};

/// The radius at which a point of the unit torus has `degree` of `others` uniform ones in reach on average:
/// pi r^2 others = degree, for r <= 1/2.
[[nodiscard]] double radius_on_torus(double degree, std::uint32_t others);

}  // namespace popsgd::sim
