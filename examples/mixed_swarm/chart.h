// Accuracy over time, a line a node, as an SVG.
#pragma once

#include <string>
#include <vector>

namespace mixed_swarm {

struct Point {
  double seconds = 0;
  double accuracy = 0;  ///< 0 to 1
};

struct Curve {
  std::string name;
  std::vector<Point> points;
};

/// Those of one kind of machine have one colour: `kinds[k]` is the k-th curve's, from 0.
[[nodiscard]] std::string accuracy_svg(const std::vector<Curve>& curves, const std::vector<int>& kinds);

}  // namespace mixed_swarm
