// Graphs read from a text file of edges.
#include "disjoint_sets.h"
#include "graphs.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace popsgd::sim {
namespace {

/// The next word of `line`, removed from it; empty at the end.
std::string_view next_word(std::string_view& line) {
  constexpr std::string_view blanks = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

std::uint32_t parse_agent(std::string_view word, const std::string& place, std::uint32_t agents) {
  const long long agent = parse_integer(word, place);
  if (agent < 0 || agent >= agents)
    throw Error(place + ": agent " + std::string(word) + " is not among 0 to " + std::to_string(agents - 1));
  return static_cast<std::uint32_t>(agent);
}

/// The edge a line holds; none when it is blank or a comment. `place` is "file:line".
std::optional<Edge> parse_edge(std::string_view line, const std::string& place, std::uint32_t agents) {
  line = line.substr(0, line.find('#'));
  const std::string_view first = next_word(line);
  const std::string_view second = next_word(line);
  if (first.empty()) return std::nullopt;
  if (second.empty() || !next_word(line).empty()) throw Error(place + ": expected two agents, as in \"0 1\"");

  const std::uint32_t a = parse_agent(first, place, agents);
  const std::uint32_t b = parse_agent(second, place, agents);
  if (a == b) throw Error(place + ": agent " + std::to_string(a) + " cannot have an edge to itself");
  return Edge{std::min(a, b), std::max(a, b)};
}

void check_connected(const std::vector<Edge>& edges, const std::string& path, std::uint32_t agents) {
  DisjointSets components(agents);
  std::vector<bool> has_edge(agents, false);
  for (const auto [a, b] : edges) {
    components.unite(a, b);
    has_edge[a] = has_edge[b] = true;
  }
  for (std::uint32_t agent = 0; agent < agents; ++agent)
    if (!has_edge[agent])
      throw Error(path + ": agent " + std::to_string(agent) + " of " + std::to_string(agents) +
                  " has no edge");
  for (std::uint32_t agent = 1; agent < agents; ++agent)
    if (components.find(agent) != components.find(0))
      throw Error(path + ": the graph must be connected, but agent " + std::to_string(agent) +
                  " cannot be reached from agent 0");
}

}  // namespace

std::vector<Edge> read_edges(const std::string& path, std::uint32_t agents) {
  std::ifstream file(path);
  if (!file) throw Error(path + ": cannot be opened");

  std::vector<Edge> edges;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    const auto edge = parse_edge(line, path + ":" + std::to_string(number), agents);
    if (edge) edges.push_back(*edge);
  }
  if (file.bad()) throw Error(path + ": cannot be read");

  std::ranges::sort(edges);
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  check_size(static_cast<double>(edges.size()));
  check_connected(edges, path, agents);
  return edges;
}

}  // namespace popsgd::sim
