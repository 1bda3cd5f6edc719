// Random geometric graphs, joined up by the shortest links.
#include "../draws.h"
#include "disjoint_sets.h"
#include "graphs.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <numeric>
#include <string>

namespace popsgd::sim {
namespace {

struct Point {
  double x;
  double y;
};

double squared_distance(Point p, Point q) {
  return (p.x - q.x) * (p.x - q.x) + (p.y - q.y) * (p.y - q.y);
}

/// The points sorted into square cells at least `radius` wide, so that whoever is within it of a point is
/// in the same cell or one of the eight around.
class CellGrid {
 public:
  CellGrid(const std::vector<Point>& points, double radius)
      : radius_(radius), side_(cells_across(points.size(), radius)), first_(side_ * side_ + 1, 0) {
    for (const Point p : points) ++first_[cell_of(p) + 1];
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
    members_.resize(points.size());
    std::vector<std::size_t> next(first_.begin(), first_.end() - 1);
    for (std::uint32_t i = 0; i < points.size(); ++i) members_[next[cell_of(points[i])]++] = {points[i], i};
  }

  /// visit(i, j, squared distance) for every pair i < j within the radius.
  template <typename Visit>
  void for_each_pair(Visit visit) const {
    for (const Member& member : members_) {
      const std::size_t column = along(member.point.x);
      const std::size_t row = along(member.point.y);
      for (std::size_t y = row - (row > 0); y <= std::min(row + 1, side_ - 1); ++y)
        for (std::size_t x = column - (column > 0); x <= std::min(column + 1, side_ - 1); ++x)
          visit_cell(member, y * side_ + x, visit);
    }
  }

 private:
  struct Member {
    Point point;
    std::uint32_t id;
  };

  /// No more cells than points: the links of sparse graphs are sought at radii far below the spacing.
  static std::size_t cells_across(std::size_t points, double radius) {
    const double widest = std::min(1 / radius, std::sqrt(static_cast<double>(points)));
    return std::max<std::size_t>(1, static_cast<std::size_t>(widest));
  }
  [[nodiscard]] std::size_t along(double coordinate) const {
    return std::min(side_ - 1, static_cast<std::size_t>(coordinate * static_cast<double>(side_)));
  }
  [[nodiscard]] std::size_t cell_of(Point p) const { return along(p.y) * side_ + along(p.x); }

  template <typename Visit>
  void visit_cell(const Member& member, std::size_t cell, Visit& visit) const {
    for (std::size_t m = first_[cell]; m < first_[cell + 1]; ++m) {
      const Member& other = members_[m];
      const double d2 = squared_distance(member.point, other.point);
      if (member.id < other.id && d2 <= radius_ * radius_) visit(member.id, other.id, d2);
    }
  }

  double radius_;
  std::size_t side_;
  std::vector<std::size_t> first_;
  std::vector<Member> members_;  ///< cell by cell
};

/// The probability that two uniform points of the unit square are within r <= 1 of each other.
double pair_probability(double r) {
  return r * r * (std::numbers::pi - r * (8.0 / 3 - r / 2));
}

/// The radius at which the expected degree, borders included, is `mean_degree`.
double radius_of(double mean_degree, std::uint32_t agents) {
  double low = 0;
  double high = 1;
  for (int halving = 0; halving < 100; ++halving) {
    const double middle = (low + high) / 2;
    (pair_probability(middle) * (agents - 1) < mean_degree ? low : high) = middle;
  }
  return high;
}

/// Links the components by the edges their Euclidean minimum spanning tree has between them: Kruskal's
/// algorithm over annuli, the pairs within `radius` being linked already.
void link_components(const std::vector<Point>& points, double radius, DisjointSets& components,
                     std::vector<Edge>& edges) {
  struct Link {
    double d2;
    Edge edge;
  };
  while (components.count() > 1) {
    radius *= std::numbers::sqrt2;
    std::vector<Link> links;
    CellGrid(points, radius).for_each_pair([&](std::uint32_t i, std::uint32_t j, double d2) {
      if (components.find(i) != components.find(j)) links.push_back({d2, {i, j}});
    });
    std::ranges::stable_sort(links, {}, &Link::d2);
    for (const Link& link : links)
      if (components.unite(link.edge.a, link.edge.b)) edges.push_back(link.edge);
  }
}

}  // namespace

std::vector<Edge> geometric_edges(std::uint32_t agents, double mean_degree, std::uint64_t seed) {
  const double highest = pair_probability(1) * (agents - 1);
  if (!(mean_degree > 0 && mean_degree <= highest))
    throw Error("geometric:D: the mean degree D must be above 0 and, for " + std::to_string(agents) +
                " agents, at most " + std::to_string(highest) + ", not " + std::to_string(mean_degree));
  check_size(mean_degree * agents / 2);

  Random random(seed, Purpose::topology);
  std::vector<Point> points(agents);
  for (Point& point : points) {
    point.x = uniform_double(random);
    point.y = uniform_double(random);
  }

  const double radius = radius_of(mean_degree, agents);
  std::vector<Edge> edges;
  DisjointSets components(agents);
  CellGrid(points, radius).for_each_pair([&](std::uint32_t i, std::uint32_t j, double) {
    edges.push_back({i, j});
    components.unite(i, j);
  });
  link_components(points, radius, components, edges);
  return edges;
}

}  // namespace popsgd::sim
