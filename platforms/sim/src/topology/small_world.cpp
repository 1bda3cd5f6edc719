// Small-world graphs: Watts and Strogatz, Collective Dynamics of 'Small-world' Networks, Nature 393, 1998.
#include "../draws.h"
#include "graphs.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <cstddef>
#include <string>

namespace popsgd::sim {
namespace {

using Neighbours = std::vector<std::vector<std::uint32_t>>;

std::vector<Edge> ring_lattice(std::uint32_t agents, std::uint32_t nearest) {
  std::vector<Edge> edges;
  edges.reserve(std::size_t{agents} * nearest / 2);
  for (std::uint32_t step = 1; step <= nearest / 2; ++step)
    for (std::uint32_t i = 0; i < agents; ++i)
      edges.push_back({i, static_cast<std::uint32_t>((std::uint64_t{i} + step) % agents)});
  return edges;
}

Neighbours neighbours_of(const std::vector<Edge>& edges, std::uint32_t agents) {
  Neighbours neighbours(agents);
  for (const auto [a, b] : edges) {
    neighbours[a].push_back(b);
    neighbours[b].push_back(a);
  }
  return neighbours;
}

/// Moves the far end of `edge` to a uniformly random agent that edge.a does not meet yet.
void rewire(Edge& edge, Neighbours& neighbours, Random& random) {
  auto& mine = neighbours[edge.a];
  const auto agents = static_cast<std::uint32_t>(neighbours.size());
  if (mine.size() + 1 == agents) return;

  std::uint32_t end = edge.a;
  while (end == edge.a || std::ranges::find(mine, end) != mine.end()) end = random.below(agents);
  std::erase(neighbours[edge.b], edge.a);
  *std::ranges::find(mine, edge.b) = end;
  neighbours[end].push_back(edge.a);
  edge.b = end;
}

}  // namespace

std::vector<Edge> small_world_edges(std::uint32_t agents, long long nearest, double rewired,
                                    std::uint64_t seed) {
  if (nearest < 2 || nearest >= agents || nearest % 2 != 0)
    throw Error("small-world:K,P: K must be even, at least 2 and below the " + std::to_string(agents) +
                " agents, not " + std::to_string(nearest));
  if (!(rewired >= 0 && rewired <= 1))
    throw Error("small-world:K,P: the probability P must be from 0 to 1, not " + std::to_string(rewired));
  check_size(static_cast<double>(nearest) * agents / 2);

  Random random(seed, Purpose::topology);
  std::vector<Edge> edges = ring_lattice(agents, static_cast<std::uint32_t>(nearest));
  Neighbours neighbours = neighbours_of(edges, agents);
  for (Edge& edge : edges)
    if (uniform_double(random) < rewired) rewire(edge, neighbours, random);

  // Each agent keeps the near end of K / 2 edges, so a component has as many edges as vertices: a cycle.
  join_components(edges, agents);
  return edges;
}

}  // namespace popsgd::sim
