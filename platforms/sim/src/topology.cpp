#include "spec.h"
#include "topology/graphs.h"

#include <popsgd/sim/error.h>
#include <popsgd/sim/topology.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>

namespace popsgd::sim {
namespace {

constexpr auto kTopologies = std::to_array<std::string_view>(
    {"complete", "ring", "torus", "regular:4", "small-world:4,0.1", "geometric:8", "edges:PATH"});

/// 2 - 2 cos(2 pi / n), without the cancellation.
double ring_gap(std::uint32_t agents) {
  const double sine = std::sin(std::numbers::pi / agents);
  return 4 * sine * sine;
}

std::vector<Edge> make_edges(const Spec& spec, std::uint32_t agents, std::uint64_t seed) {
  const auto& arguments = spec.arguments;
  if (spec.name == "ring") return ring_edges(agents);
  if (spec.name == "torus") return torus_edges(agents);
  if (spec.name == "regular")
    return regular_edges(agents, parse_integer(arguments[0], "R in regular:R"), seed);
  if (spec.name == "small-world")
    return small_world_edges(agents, parse_integer(arguments[0], "K in small-world:K,P"),
                             parse_real(arguments[1], "P in small-world:K,P"), seed);
  if (spec.name == "geometric")
    return geometric_edges(agents, parse_real(arguments[0], "D in geometric:D"), seed);
  return read_edges(std::string(arguments[0]), agents);
}

}  // namespace

Topology Topology::make(std::string_view text, std::uint32_t agents, std::uint64_t seed) {
  const Spec spec = parse_spec("topology", text, kTopologies);
  if (agents < 2) throw Error("a topology needs at least 2 agents, not " + std::to_string(agents));

  Topology topology(text, agents);
  if (spec.name == "complete") {
    topology.complete_ = true;
    topology.closed_form_gap_ = agents;
    return topology;
  }
  topology.set_edges(make_edges(spec, agents, seed));
  if (spec.name == "ring") topology.closed_form_gap_ = ring_gap(agents);
  // The torus is the product of two rings: its eigenvalues are their sums, the least with a 0 in the shorter.
  if (spec.name == "torus") topology.closed_form_gap_ = ring_gap(agents / torus_rows(agents));
  return topology;
}

Topology::Topology(std::string_view name, std::uint32_t agents)
    : name_(name), agents_(agents), closed_form_gap_(std::numeric_limits<double>::quiet_NaN()) {}

void Topology::set_edges(std::vector<Edge> edges) {
  for (Edge& edge : edges)
    if (edge.a > edge.b) std::swap(edge.a, edge.b);
  std::ranges::sort(edges);
  edges_ = std::move(edges);

  offsets_.assign(std::size_t{agents_} + 1, 0);
  for (const auto [a, b] : edges_) {
    ++offsets_[a + std::size_t{1}];
    ++offsets_[b + std::size_t{1}];
  }
  std::partial_sum(offsets_.begin(), offsets_.end(), offsets_.begin());

  // In order of (a, b), each list receives the smaller neighbours first and comes out sorted.
  neighbours_.resize(2 * edges_.size());
  std::vector<std::size_t> next(offsets_.begin(), offsets_.end() - 1);
  for (const auto [a, b] : edges_) {
    neighbours_[next[a]++] = b;
    neighbours_[next[b]++] = a;
  }
}

std::uint64_t Topology::edges() const {
  return complete_ ? std::uint64_t{agents_} * (agents_ - 1) / 2 : edges_.size();
}

std::span<const std::uint32_t> Topology::neighbours(std::uint32_t agent) const {
  const std::size_t begin = offsets_[agent];
  return std::span(neighbours_).subspan(begin, offsets_[agent + std::size_t{1}] - begin);
}

double Topology::spectral_gap() const {
  return std::isnan(closed_form_gap_) ? laplacian_gap(*this) : closed_form_gap_;
}

}  // namespace popsgd::sim
