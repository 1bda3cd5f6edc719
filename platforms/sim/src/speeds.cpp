#include "draws.h"
#include "spec.h"

#include <popsgd/random.h>
#include <popsgd/sim/error.h>
#include <popsgd/sim/speeds.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string>

namespace popsgd::sim {
namespace {

constexpr auto kDistributions = std::to_array<std::string_view>({"equal", "uniform:10", "two:10,0.25"});

/// The topology's second stream: the first draws the graph.
constexpr std::uint32_t speeds_stream = 1;

double parse_ratio(std::string_view text, std::string_view what) {
  const double ratio = parse_real(text, what);
  if (!(ratio >= 1 && ratio <= 1e6))
    throw Error(std::string(what) + ": the ratio of speeds must be from 1 to 1e6, not " + std::string(text));
  return ratio;
}

std::vector<double> log_uniform(std::uint32_t agents, double ratio) {
  std::vector<double> speeds(agents);
  for (std::uint32_t i = 0; i < agents; ++i) speeds[i] = std::pow(ratio, (i + 0.5) / agents);
  return speeds;
}

std::vector<double> two_speeds(std::uint32_t agents, double ratio, std::string_view fraction_text) {
  const double fraction = parse_real(fraction_text, "F in two:R,F");
  if (!(fraction > 0 && fraction < 1))
    throw Error("two:R,F: the fraction F of fast agents must be between 0 and 1, not " +
                std::string(fraction_text));
  const auto fast = static_cast<std::ptrdiff_t>(std::max(1.0, std::round(fraction * agents)));
  std::vector<double> speeds(agents, 1.0);
  std::fill_n(speeds.begin(), fast, ratio);
  return speeds;
}

std::vector<double> relative_speeds(const Spec& spec, std::uint32_t agents) {
  const auto& arguments = spec.arguments;
  if (spec.name == "uniform") return log_uniform(agents, parse_ratio(arguments[0], "R in uniform:R"));
  if (spec.name == "two") return two_speeds(agents, parse_ratio(arguments[0], "R in two:R,F"), arguments[1]);
  return std::vector<double>(agents, 1.0);
}

}  // namespace

std::vector<double> make_speeds(std::string_view text, std::uint32_t agents, std::uint64_t seed) {
  const Spec spec = parse_spec("speeds", text, kDistributions);
  if (agents < 1) throw Error("speeds need at least 1 agent");
  std::vector<double> speeds = relative_speeds(spec, agents);
  const double mean = std::accumulate(speeds.begin(), speeds.end(), 0.0) / agents;
  for (double& speed : speeds) speed /= mean;
  Random random(seed, Purpose::topology, speeds_stream);
  shuffle(speeds, random);
  return speeds;
}

AliasTable::AliasTable(std::span<const double> weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  const bool valid = std::ranges::all_of(weights, [](double weight) { return weight >= 0; });
  if (!valid || !(total > 0) || !std::isfinite(total))
    throw Error("an alias table needs finite weights of at least 0 with a positive sum");

  // How full the columns of height 1 are: the short ones are topped up from the tall ones.
  std::vector<double> height(weights.begin(), weights.end());
  std::vector<std::uint32_t> small;
  std::vector<std::uint32_t> large;
  for (std::uint32_t i = 0; i < height.size(); ++i) {
    height[i] *= static_cast<double>(height.size()) / total;
    (height[i] < 1 ? small : large).push_back(i);
  }
  columns_.resize(height.size());
  for (std::uint32_t i = 0; i < height.size(); ++i) columns_[i] = {0, i};  // full: both indices its own
  while (!small.empty() && !large.empty()) {
    const std::uint32_t low = small.back();
    const std::uint32_t high = large.back();
    small.pop_back();
    const double keep = std::min(std::round(height[low] * 0x1p32), 0x1p32 - 1);
    columns_[low] = {static_cast<std::uint32_t>(keep), high};
    height[high] -= 1 - height[low];
    if (height[high] < 1) {
      large.pop_back();
      small.push_back(high);
    }
  }
}

}  // namespace popsgd::sim
