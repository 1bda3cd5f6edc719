#include "draws.h"
#include "spec.h"

#include <popsgd/random.h>
#include <popsgd/sim/error.h>
#include <popsgd/sim/shards.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <queue>
#include <string>
#include <utility>

namespace popsgd::sim {
namespace {

using Owners = std::vector<std::uint32_t>;  ///< the agent of each row

constexpr auto kForms = std::to_array<std::string_view>({"shared", "iid", "dirichlet:0.1", "labels:2"});

double normal_double(Random& random) {
  const double radius = std::sqrt(-2 * std::log(1 - uniform_double(random)));
  return radius * std::cos(2 * std::numbers::pi * uniform_double(random));
}

/// The logarithm of a Gamma(alpha, 1) variate by Marsaglia and Tsang, A Simple Method for Generating Gamma
/// Variables, 2000. For alpha < 1, that of Gamma(alpha + 1) U^(1 / alpha), which as such would underflow.
double log_gamma_variate(double alpha, Random& random) {
  double log_boost = 0;
  if (alpha < 1) {
    log_boost = std::log(1 - uniform_double(random)) / alpha;
    alpha += 1;
  }
  const double d = alpha - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = normal_double(random);
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    const double log_u = std::log(1 - uniform_double(random));
    if (log_u < x * x / 2 + d - d * v + d * std::log(v)) return log_boost + std::log(d * v);
  }
}

/// Running sums of proportions drawn from the symmetric Dirichlet(alpha) distribution; the last is 1.
std::vector<double> cumulative_dirichlet(double alpha, std::uint32_t agents, Random& random) {
  std::vector<double> shares(agents);
  for (double& share : shares) share = log_gamma_variate(alpha, random);
  const double largest = *std::ranges::max_element(shares);
  for (double& share : shares) share = std::exp(share - largest);
  std::partial_sum(shares.begin(), shares.end(), shares.begin());
  const double total = shares.back();
  for (double& share : shares) share /= total;
  return shares;
}

/// All rows in order of class, at random within each.
std::vector<std::uint32_t> rows_by_class(const Dataset& train, Random& random) {
  auto rows = permutation(static_cast<std::uint32_t>(train.rows), random);
  std::ranges::stable_sort(rows, {}, [&](std::uint32_t row) { return train.labels[row]; });
  return rows;
}

Owners deal_evenly(const Dataset& train, std::uint32_t agents, Random& random) {
  Owners owner(train.rows);
  std::uint32_t next = 0;
  for (const std::uint32_t row : permutation(static_cast<std::uint32_t>(train.rows), random)) {
    owner[row] = next;
    next = (next + 1) % agents;
  }
  return owner;
}

Owners deal_dirichlet(const Dataset& train, std::uint32_t agents, double alpha, Random& random) {
  if (!(alpha >= 1e-6 && alpha <= 1e6))
    throw Error("dirichlet:ALPHA: ALPHA must be from 1e-6 to 1e6, not " + std::to_string(alpha));
  Owners owner(train.rows);
  const auto rows = rows_by_class(train, random);
  for (auto row = rows.begin(); row != rows.end();) {
    const auto begin = row;
    const auto end = std::find_if(begin, rows.end(),
                                  [&](auto other) { return train.labels[other] != train.labels[*begin]; });
    std::uint32_t agent = 0;
    for (const double share : cumulative_dirichlet(alpha, agents, random)) {
      const auto cut = begin + std::lround(share * static_cast<double>(end - begin));
      for (; row < cut; ++row) owner[*row] = agent;
      ++agent;
    }
  }
  return owner;
}

Owners deal_labels(const Dataset& train, std::uint32_t agents, long long pieces_each, Random& random) {
  const auto most = static_cast<long long>(train.rows / agents);
  if (pieces_each < 1 || pieces_each > most)
    throw Error("labels:K: K must be from 1 to " + std::to_string(most) + " for " +
                std::to_string(train.rows) + " rows and " + std::to_string(agents) + " agents, not " +
                std::to_string(pieces_each));
  Owners owner(train.rows);
  const auto rows = rows_by_class(train, random);
  const auto k = static_cast<std::uint32_t>(pieces_each);
  const std::uint32_t pieces = k * agents;
  const auto order = permutation(pieces, random);
  for (std::uint64_t piece = 0; piece < pieces; ++piece)
    for (std::uint64_t r = piece * train.rows / pieces; r < (piece + 1) * train.rows / pieces; ++r)
      owner[rows[static_cast<std::size_t>(r)]] = order[static_cast<std::size_t>(piece)] / k;
  return owner;
}

void check_dealable(std::string_view name, const Dataset& train, std::uint32_t agents) {
  if (train.rows > std::numeric_limits<std::uint32_t>::max())
    throw Error("shards: at most 2^32 - 1 rows can be dealt, not " + std::to_string(train.rows));
  if (agents > train.rows)
    throw Error("shards: " + std::to_string(train.rows) + " rows cannot give each of " +
                std::to_string(agents) + " agents one; use shared");
  if (name != "iid" && train.classes == 0)
    throw Error("shards: " + std::string(name) + " deals by class and the data has none; use iid or shared");
}

}  // namespace

Shards Shards::make(std::string_view text, const Dataset& train, std::uint32_t agents, std::uint64_t seed) {
  const Spec spec = parse_spec("shards", text, kForms);
  if (agents < 1) throw Error("shards need at least 1 agent");
  if (spec.name == "shared") return {};

  check_dealable(spec.name, train, agents);
  Random random(seed, Purpose::shards);
  if (spec.name == "iid") return {deal_evenly(train, agents, random), agents};
  if (spec.name == "labels") {
    const long long k = parse_integer(spec.arguments[0], "K in labels:K");
    return {deal_labels(train, agents, k, random), agents};
  }
  const double alpha = parse_real(spec.arguments[0], "ALPHA in dirichlet:ALPHA");
  Owners owner = deal_dirichlet(train, agents, alpha, random);
  return {Shards(owner, agents).give_to_empty(std::move(owner)), agents};
}

Shards::Shards(const std::vector<std::uint32_t>& owner_of_row, std::uint32_t agents)
    : offsets_(std::size_t{agents} + 1, 0), rows_(owner_of_row.size()) {
  for (const std::uint32_t agent : owner_of_row) ++offsets_[agent + std::size_t{1}];
  std::partial_sum(offsets_.begin(), offsets_.end(), offsets_.begin());
  std::vector<std::size_t> next(offsets_.begin(), offsets_.end() - 1);
  for (std::uint32_t row = 0; row < owner_of_row.size(); ++row) rows_[next[owner_of_row[row]]++] = row;
}

/// `owner` with one row moved to each agent without any, always from the shard then largest.
std::vector<std::uint32_t> Shards::give_to_empty(std::vector<std::uint32_t> owner) const {
  const auto agents = static_cast<std::uint32_t>(offsets_.size() - 1);
  std::priority_queue<std::pair<std::size_t, std::uint32_t>> largest;
  for (std::uint32_t agent = 0; agent < agents; ++agent) largest.emplace(of(agent).size(), agent);
  for (std::uint32_t agent = 0; agent < agents; ++agent) {
    if (!of(agent).empty()) continue;
    const auto [size, donor] = largest.top();
    largest.pop();
    owner[of(donor)[size - 1]] = agent;
    largest.emplace(size - 1, donor);
  }
  return owner;
}

std::span<const std::uint32_t> Shards::of(std::uint32_t agent) const {
  if (shared()) return {};
  const std::size_t begin = offsets_[agent];
  return std::span(rows_).subspan(begin, offsets_[agent + std::size_t{1}] - begin);
}

}  // namespace popsgd::sim
