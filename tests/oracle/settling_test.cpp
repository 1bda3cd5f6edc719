// Agents of devices that have settled: they average, and do nothing else.
#include "network.h"
#include "noise.h"
#include "statistics.h"

#include <popsgd/fixed_network.h>
#include <popsgd/sim/numeric.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using popsgd::test::noise;
using popsgd::test::VirtualNetwork;
using sim::NetworkTotals;

// Steps of 1/8 until the gossip-averaged counter says 10.
sim::Settings settling(std::uint32_t n, std::uint64_t seed, sim::Merge merge) {
  sim::Settings settings{.agents = n, .batch = 1, .seed = seed};
  settings.schedule = {.shape = Schedule::Shape::piecewise, .eta = 0.125F, .breakpoint_count = 1};
  settings.schedule.breakpoints[0] = {10, 0};
  settings.schedule.settle = 1e-6F;
  settings.merge = merge;
  return settings;
}

// Goes on until nobody is in the middle of an exchange.
void to_rest(VirtualNetwork& net) {
  const auto open = [&net] {
    const NetworkTotals totals = net->totals();
    return totals.begun != totals.completed_sides + totals.cut_short;
  };
  while (open()) net->run_for(1);
}

// Goes on until everybody has settled, for good: of two counters that have passed, the mean has, too.
void settle(VirtualNetwork& net) {
  while (net->totals().settled < net->models()) {
    net->run_for(100);
    to_rest(net);
  }
}

std::uint64_t refusals(const NetworkTotals& totals) {
  return std::accumulate(totals.refused.begin(), totals.refused.end(), std::uint64_t{0});
}

TEST_CASE("settled agents take no steps; Gamma falls by 1 - 1/(n-1) an exchange (false alarms: 1e-6)") {
  constexpr std::uint32_t kAgents = 12;
  constexpr double kFactor = 1 - 1.0 / (kAgents - 1);
  for (const sim::Merge merge : {sim::Merge::average, sim::Merge::delta}) {
    std::vector<double> ratios;  // to what is expected after so many exchanges
    for (std::uint64_t seed = 1; seed <= 600; ++seed) {
      CAPTURE(seed);
      VirtualNetwork net(noise(), settling(kAgents, seed, merge), {.link = {.delay_ms = 1}, .gate = false});
      settle(net);
      const std::uint64_t steps = net->account().gradient_evaluations;
      const std::uint64_t exchanges = net->totals().completed;
      const double before = net.gamma();
      net->run_until(exchanges + 2 * kAgents);
      to_rest(net);
      REQUIRE(net->account().gradient_evaluations == steps);
      const auto done = static_cast<double>(net->totals().completed - exchanges);
      ratios.push_back(net.gamma() / (before * std::pow(kFactor, done)));
    }
    const test::Estimate ratio = test::estimate(ratios);
    MESSAGE("Gamma beside its expectation: " << ratio.mean << " +- " << ratio.error);
    CHECK(ratio.error < 0.04);
    CHECK(ratio.deviation(1) < test::kFiveSigma);
  }
}

TEST_CASE("agents that have settled do not refuse each other for it, down to where floats end") {
  for (const sim::Merge merge : {sim::Merge::average, sim::Merge::delta}) {
    VirtualNetwork net(noise(), settling(12, 1, merge), {});
    settle(net);
    net->run_until(net->totals().completed + 100);
    const std::uint64_t before = refusals(net->totals());
    net->run_until(net->totals().completed + 1000);
    CHECK(refusals(net->totals()) == before);
    CHECK(net.gamma() < 1e-15);
  }
}

const sim::Problem& blobs() {
  static const sim::Problem kProblem(sim::DataSpec::parse("blobs:d=17,classes=4,samples=2000"), "mlp:30", 1);
  return kProblem;
}

// The unit of each parameter of integer models of a kind.
template <typename Weight>
std::vector<double> units() {
  using Net = FixedNetwork<Weight, std::int16_t>;
  std::vector<LayerFormat> formats(blobs().widths().size() - 1);
  Net::choose_formats(blobs().widths(), formats);
  const auto net = Net::make(blobs().widths(), Loss::cross_entropy, formats).value();
  std::vector<Tensor> layout(net.tensors());
  net.layout(layout);
  std::vector<double> units;
  for (const Tensor& tensor : layout)
    units.insert(units.end(), tensor.length, std::ldexp(1.0, -tensor.fraction));
  return units;
}

// The largest magnitude of all, each in its unit.
double largest(const std::vector<double>& values, const std::vector<double>& units) {
  double most = 0;
  for (std::size_t k = 0; k < values.size(); ++k) most = std::max(most, std::fabs(values[k]) / units[k]);
  return most;
}

// How far the agents spread in each parameter.
std::vector<double> spread(const VirtualNetwork& net) {
  const std::vector<float> models = net.models();
  std::vector<double> least(blobs().parameters(), 1e30);
  std::vector<double> most(blobs().parameters(), -1e30);
  for (std::size_t k = 0; k < models.size(); ++k) {
    const auto value = static_cast<double>(models[k]);
    least[k % least.size()] = std::min(least[k % least.size()], value);
    most[k % most.size()] = std::max(most[k % most.size()], value);
  }
  for (std::size_t k = 0; k < most.size(); ++k) most[k] -= least[k];
  return most;
}

TEST_CASE(
    "settled agents of one kind of integers keep their mean bit for bit, and come within a unit; mixes "
    "within three") {
  struct Swarm {
    std::string numeric;
    std::vector<double> coarser;  // of the units in it
    bool exact;                   // the mean is conserved bit for bit
    bool alike;                   // all round to the same unit
  };
  const std::vector<Swarm> swarms{{"int16", units<std::int16_t>(), true, true},
                                  {"int8", units<std::int8_t>(), true, true},
                                  {"int16:5,int8:5", units<std::int8_t>(), true, false},
                                  {"float32:5,int16:5", units<std::int16_t>(), false, false},
                                  {"float32:4,int16:3,int8:3", units<std::int8_t>(), false, false}};
  for (const Swarm& swarm : swarms) {
    for (const char* encoding : {"raw", "auto"}) {
      CAPTURE(swarm.numeric);
      CAPTURE(encoding);
      sim::Settings settings = settling(10, 3, sim::Merge::average);
      settings.numerics = sim::parse_numeric(swarm.numeric, 10);
      settings.encoding = sim::parse_encoding(encoding);
      VirtualNetwork net(blobs(), settings, {.gate = false});
      settle(net);
      const std::uint64_t steps = net->account().gradient_evaluations;
      std::vector<double> drift = net.mean();
      net->run_until(net->totals().completed + 2000);
      to_rest(net);
      CHECK(net->account().gradient_evaluations == steps);
      std::ranges::transform(net.mean(), drift, drift.begin(), std::minus<>());
      CHECK(largest(drift, swarm.coarser) <= (swarm.exact ? 0 : 0.01));
      CHECK(largest(spread(net), swarm.coarser) <= (swarm.alike ? 1 : 3));
    }
  }
}

}  // namespace
