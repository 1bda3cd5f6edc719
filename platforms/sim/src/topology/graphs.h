// The families of graphs behind Topology::make. Each returns every edge once, in any order and either way
// round, of a simple connected graph, and throws Error when its parameters allow none.
#pragma once

#include <popsgd/sim/topology.h>

#include <cstdint>
#include <string>
#include <vector>

namespace popsgd::sim {

inline constexpr double max_edges = 0x1p28;

/// Throws Error when a graph of `expected` edges would exceed max_edges.
void check_size(double expected);

[[nodiscard]] std::vector<Edge> ring_edges(std::uint32_t agents);

/// The longest r <= sqrt(agents) that divides agents: the rows of the most square grid.
[[nodiscard]] std::uint32_t torus_rows(std::uint32_t agents);
[[nodiscard]] std::vector<Edge> torus_edges(std::uint32_t agents);

[[nodiscard]] std::vector<Edge> regular_edges(std::uint32_t agents, long long degree, std::uint64_t seed);
[[nodiscard]] std::vector<Edge> small_world_edges(std::uint32_t agents, long long nearest, double rewired,
                                                  std::uint64_t seed);
[[nodiscard]] std::vector<Edge> geometric_edges(std::uint32_t agents, double mean_degree, std::uint64_t seed);
[[nodiscard]] std::vector<Edge> read_edges(const std::string& path, std::uint32_t agents);

/// Joins the components of a simple graph, each of which contains a cycle, by switching ends between edges:
/// the degree of every vertex and the number of edges stay what they were.
void join_components(std::vector<Edge>& edges, std::uint32_t agents);

/// The gap of a graph without a closed form; see Topology::spectral_gap.
[[nodiscard]] double laplacian_gap(const Topology& topology);

}  // namespace popsgd::sim
