// Random regular graphs: the configuration model, repaired by switches.
#include "../draws.h"
#include "graphs.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace popsgd::sim {
namespace {

/// A multigraph in which every vertex has the same degree, as a list of edges and, for "are these two
/// adjacent?", a row of neighbours for each vertex.
class RegularMultigraph {
 public:
  /// A uniformly random pairing of `degree` stubs a vertex (Bollobas, 1980).
  RegularMultigraph(std::uint32_t vertices, std::uint32_t degree, Random& random) : degree_(degree) {
    std::vector<std::uint32_t> stubs(std::size_t{vertices} * degree);
    for (std::size_t s = 0; s < stubs.size(); ++s) stubs[s] = static_cast<std::uint32_t>(s / degree);
    shuffle(stubs, random);

    edges_.reserve(stubs.size() / 2);
    for (std::size_t s = 0; s < stubs.size(); s += 2) edges_.push_back({stubs[s], stubs[s + 1]});
    fill_rows(vertices);
  }

  /// Switches every loop and every repeated edge with random other edges until the graph is simple: about
  /// (degree^2 - 1) / 4 + (degree - 1) / 2 of them, however many vertices. False when stuck.
  bool make_simple(Random& random) {
    constexpr int patience = 1000;
    for (Edge& edge : edges_) {
      int tries = 0;
      while (!is_simple(edge)) {
        if (++tries > patience) return false;
        Edge& other = edges_[random.below(static_cast<std::uint32_t>(edges_.size()))];
        if (random.bits() & 1U) std::swap(other.a, other.b);
        if (can_switch(edge, other)) switch_ends(edge, other);
      }
    }
    return true;
  }

  std::vector<Edge> take_edges() && { return std::move(edges_); }

 private:
  void fill_rows(std::uint32_t vertices) {
    rows_.resize(std::size_t{vertices} * degree_);
    std::vector<std::uint32_t> filled(vertices, 0);
    for (const auto [a, b] : edges_) {
      row(a)[filled[a]++] = b;
      row(b)[filled[b]++] = a;
    }
  }

  [[nodiscard]] std::span<std::uint32_t> row(std::uint32_t v) {
    return std::span(rows_).subspan(std::size_t{v} * degree_, degree_);
  }
  [[nodiscard]] bool is_simple(Edge edge) {
    return edge.a != edge.b && std::ranges::count(row(edge.a), edge.b) == 1;
  }
  [[nodiscard]] bool is_free(std::uint32_t a, std::uint32_t b) {
    return a != b && std::ranges::find(row(a), b) == row(a).end();
  }

  /// Whether (a, d) and (c, b) are two different new edges. Both ends equal would make them the same one.
  [[nodiscard]] bool can_switch(Edge ab, Edge cd) {
    const bool both_loops = ab.a == ab.b && cd.a == cd.b;
    return !both_loops && is_free(ab.a, cd.b) && is_free(cd.a, ab.b);
  }
  void switch_ends(Edge& ab, Edge& cd) {
    replace(ab.a, ab.b, cd.b);
    replace(ab.b, ab.a, cd.a);
    replace(cd.a, cd.b, ab.b);
    replace(cd.b, cd.a, ab.a);
    std::swap(ab.b, cd.b);
  }
  void replace(std::uint32_t v, std::uint32_t old_neighbour, std::uint32_t new_neighbour) {
    *std::ranges::find(row(v), old_neighbour) = new_neighbour;
  }

  std::uint32_t degree_;
  std::vector<Edge> edges_;
  std::vector<std::uint32_t> rows_;
};

/// At degree <= (agents - 1) / 2 a switch is accepted often enough that starting over is rare.
std::vector<Edge> simple_regular(std::uint32_t agents, std::uint32_t degree, Random& random) {
  while (true) {
    RegularMultigraph graph(agents, degree, random);
    if (graph.make_simple(random)) return std::move(graph).take_edges();
  }
}

std::vector<Edge> complement(std::vector<Edge> edges, std::uint32_t agents) {
  for (Edge& edge : edges)
    if (edge.a > edge.b) std::swap(edge.a, edge.b);
  std::ranges::sort(edges);
  std::vector<Edge> absent;
  auto next = edges.begin();
  for (std::uint32_t a = 0; a < agents; ++a)
    for (std::uint32_t b = a + 1; b < agents; ++b)
      if (next != edges.end() && *next == Edge{a, b})
        ++next;
      else
        absent.push_back({a, b});
  return absent;
}

}  // namespace

std::vector<Edge> regular_edges(std::uint32_t agents, long long degree, std::uint64_t seed) {
  if (degree < 2 || degree >= agents)
    throw Error("regular:R: R must be at least 2 and below the " + std::to_string(agents) + " agents, not " +
                std::to_string(degree));
  if (agents % 2 != 0 && degree % 2 != 0)
    throw Error("regular:" + std::to_string(degree) + ": no graph of " + std::to_string(agents) +
                " agents has this degree, as R times agents must be even");
  check_size(static_cast<double>(degree) * agents / 2);

  Random random(seed, Purpose::topology);
  const auto r = static_cast<std::uint32_t>(degree);
  // A dense graph is the complement of a random sparse one; of degree >= agents / 2, it is connected.
  if (r > (agents - 1) / 2) return complement(simple_regular(agents, agents - 1 - r, random), agents);
  std::vector<Edge> edges = simple_regular(agents, r, random);
  join_components(edges, agents);
  return edges;
}

}  // namespace popsgd::sim
