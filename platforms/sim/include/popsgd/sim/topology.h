// Who can meet whom: the graph on whose edges the agents interact.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace popsgd::sim {

/// An undirected edge; a < b.
struct Edge {
  std::uint32_t a;
  std::uint32_t b;
  friend auto operator<=>(const Edge&, const Edge&) = default;
};

/// A simple connected graph of `agents()` vertices. The complete graph is implicit: a million agents take
/// no memory. Every other graph holds its edges and its neighbour lists, 16 bytes an edge.
class Topology {
 public:
  /// Makes the graph `spec` names, of agents >= 2; the random ones are a function of (spec, agents, seed):
  ///   complete           every pair of agents
  ///   ring               agent i meets i - 1 and i + 1; agents >= 3
  ///   torus              the most square rows x columns = agents grid, wrapped; both sides >= 3
  ///   regular:R          random, every agent with R neighbours; 2 <= R < agents, R agents even
  ///   small-world:K,P    Watts and Strogatz: K (even) nearest on a ring, edges rewired with probability P
  ///   geometric:D        uniform points in the unit square, joined within the radius that makes the expected
  ///                      degree D, borders included; parts left unconnected are joined by the links of the
  ///                      points' minimum spanning tree; 0 < D < 0.97 (agents - 1)
  ///   edges:PATH         a text file of "a b" lines, agents counted from 0, '#' comments, repeats ignored;
  ///                      every agent reachable
  /// Throws Error on an unknown name, a parameter out of range, a file that breaks the rules (naming file and
  /// line), or a graph beyond 2^28 edges.
  [[nodiscard]] static Topology make(std::string_view spec, std::uint32_t agents, std::uint64_t seed);

  /// The spec the graph was made from.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint32_t agents() const { return agents_; }
  [[nodiscard]] bool complete() const { return complete_; }

  /// Number of undirected edges; n (n - 1) / 2 for the complete graph.
  [[nodiscard]] std::uint64_t edges() const;

  /// Every edge once, in increasing order; empty for the complete graph.
  [[nodiscard]] std::span<const Edge> edge_list() const { return edges_; }

  /// The neighbours of `agent` in increasing order. Not for the complete graph, which keeps no lists.
  [[nodiscard]] std::span<const std::uint32_t> neighbours(std::uint32_t agent) const;

  /// lambda_2, the second smallest eigenvalue of the Laplacian D - A (algebraic connectivity). Averaging
  /// along uniformly random edges of an r-regular graph contracts the consensus distance Gamma by
  /// 1 - lambda_2 / (r n) or more an interaction.
  ///
  /// Complete, ring and torus: closed forms. Others of up to 500 agents: to rounding. Beyond, iterated from
  /// above until an eigenvalue, all but surely the second, is certain within 0.1%. The work is bounded, to
  /// less than a second for 100,000 agents. NaN means "not computed": the bound was reached, as it is on
  /// large graphs with a tiny gap (geometric ones of 100,000 agents) and on most of a million.
  [[nodiscard]] double spectral_gap() const;

 private:
  Topology(std::string_view name, std::uint32_t agents);
  void set_edges(std::vector<Edge> edges);

  std::string name_;
  std::uint32_t agents_;
  bool complete_ = false;
  double closed_form_gap_;                 ///< NaN where there is none
  std::vector<Edge> edges_;                ///< sorted
  std::vector<std::size_t> offsets_;       ///< of each agent's neighbours; agents + 1 values
  std::vector<std::uint32_t> neighbours_;  ///< all lists end to end
};

}  // namespace popsgd::sim
