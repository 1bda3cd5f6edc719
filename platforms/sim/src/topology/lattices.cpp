// Rings and tori, and what the families share.
#include "disjoint_sets.h"
#include "graphs.h"

#include <popsgd/sim/error.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

namespace popsgd::sim {
namespace {

constexpr std::uint32_t shortest_ring = 3;  // a ring of two would be a doubled edge

std::uint32_t next_torus(std::uint32_t agents) {
  do ++agents;
  while (torus_rows(agents) < shortest_ring);
  return agents;
}

}  // namespace

void check_size(double expected) {
  if (expected > max_edges)
    throw Error("a topology of " + std::to_string(static_cast<long long>(expected)) +
                " edges is too large (the limit is 2^28); complete stores none");
}

void join_components(std::vector<Edge>& edges, std::uint32_t agents) {
  DisjointSets components(agents);
  std::vector<std::size_t> closing;  // edges that close a cycle: dropping one disconnects nothing
  for (std::size_t e = 0; e < edges.size(); ++e)
    if (!components.unite(edges[e].a, edges[e].b)) closing.push_back(e);

  // With (a, b) and (c, d) on cycles of two components, (a, d) and (c, b) join them, and lie themselves on
  // a cycle: the first edge can be switched again for the next component.
  for (const std::size_t e : closing) {
    Edge& link = edges[closing.front()];
    if (components.unite(link.a, edges[e].a)) std::swap(link.b, edges[e].b);
  }
}

std::vector<Edge> ring_edges(std::uint32_t agents) {
  if (agents < shortest_ring)
    throw Error("ring needs at least 3 agents, not " + std::to_string(agents) + "; use complete");
  check_size(agents);
  std::vector<Edge> edges;
  edges.reserve(agents);
  for (std::uint32_t i = 0; i < agents; ++i) edges.push_back({i, (i + 1) % agents});
  return edges;
}

std::uint32_t torus_rows(std::uint32_t agents) {
  auto rows = static_cast<std::uint32_t>(std::sqrt(agents));
  while (agents % rows != 0) --rows;
  return rows;
}

std::vector<Edge> torus_edges(std::uint32_t agents) {
  check_size(2.0 * agents);
  const std::uint32_t rows = torus_rows(agents);
  const std::uint32_t columns = agents / rows;
  if (rows < shortest_ring)
    throw Error("torus: " + std::to_string(agents) + " agents make at best a " + std::to_string(rows) +
                " x " + std::to_string(columns) + " grid and both sides must be at least 3; " +
                std::to_string(next_torus(agents)) + " agents would do");
  std::vector<Edge> edges;
  edges.reserve(std::size_t{2} * agents);
  for (std::uint32_t row = 0; row < rows; ++row)
    for (std::uint32_t column = 0; column < columns; ++column) {
      const std::uint32_t agent = row * columns + column;
      edges.push_back({agent, row * columns + (column + 1) % columns});
      edges.push_back({agent, (row + 1) % rows * columns + column});
    }
  return edges;
}

}  // namespace popsgd::sim
