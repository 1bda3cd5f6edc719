// Random geometric graphs, joined up by the shortest links.
#include "../draws.h"
#include "cell_grid.h"
#include "disjoint_sets.h"
#include "graphs.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <numbers>
#include <string>

namespace popsgd::sim {
namespace {

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
    CellGrid(points, radius, Surface::square).for_each_pair([&](std::uint32_t i, std::uint32_t j, double d2) {
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
  CellGrid(points, radius, Surface::square).for_each_pair([&](std::uint32_t i, std::uint32_t j, double) {
    edges.push_back({i, j});
    components.unite(i, j);
  });
  link_components(points, radius, components, edges);
  return edges;
}

}  // namespace popsgd::sim
