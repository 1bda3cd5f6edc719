// The network engine over links so fast that exchanges hardly ever collide: the closed forms of the population
// model hold for real agents too.
#include "network.h"

#include "statistics.h"

#include <popsgd/sim/theory.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::sim::DataSpec;
using popsgd::sim::Merge;
using popsgd::sim::NetworkTotals;
using popsgd::sim::Problem;
using popsgd::sim::Settings;
using popsgd::test::Estimate;
using popsgd::test::VirtualNetwork;

// Means over 60 batches: Student's t with 59 degrees of freedom, beyond 6 with probability 1.3e-7.
constexpr std::size_t kBatches = 60;
constexpr double kMostDeviations = 6;

constexpr double kEta = 0.125;
constexpr std::uint64_t kSeed = 42;
constexpr std::uint32_t kWait = 100'000;  // ms between two offers of an agent; an exchange takes some 10

const Problem& noise() {
  static const Problem kProblem(DataSpec::parse("noise:d=16,noise=1,samples=20000"), "", kSeed);
  return kProblem;
}

// Stationary Gamma, looked at where the clock says and not where an exchange ends: half a wait apart, after 40
// waits. An exchange under way shifts it by less than its share of the time.
void check(std::uint32_t n, Merge merge, std::uint32_t local_steps, double expected) {
  const Settings settings{.schedule = {.eta = static_cast<float>(kEta)},
                          .local_steps = {.mean = local_steps},
                          .merge = merge,
                          .agents = n,
                          .batch = 1,
                          .seed = kSeed};
  VirtualNetwork net(noise(), settings, {.link = {.delay_ms = 1}, .mean_wait_ms = kWait, .gate = false});
  net->run_for(std::uint64_t{40} * kWait);
  std::vector<double> series(600'000 / n / kBatches * kBatches);
  for (double& value : series) {
    net->run_for(kWait / 2);
    value = net.gamma() / (kEta * kEta);
  }
  const Estimate measured = popsgd::test::batch_means(series, kBatches);
  const NetworkTotals totals = net->totals();
  CAPTURE(kSeed);
  CAPTURE(n);
  CAPTURE(local_steps);
  CAPTURE(expected);
  CAPTURE(measured.mean);
  CAPTURE(measured.error);
  CHECK(totals.cut_short == 0);
  CHECK(measured.error < 0.003 * expected);
  CHECK(std::fabs(measured.mean - expected) < 0.01 * expected);
  CHECK(measured.deviation(expected) < kMostDeviations);
}

TEST_CASE("Gamma of blocking agents is stationary at v (n-1)(n-2)/n (false alarms: 1.3e-7 an n)") {
  for (const std::uint32_t n : {8U, 16U})
    check(n, Merge::average, 1, popsgd::sim::stationary_gamma_average(n, 1));
}

TEST_CASE("Gamma of non-blocking agents is stationary at 2 v (n-1)^2/n (false alarms: 1.3e-7 an n)") {
  for (const std::uint32_t n : {8U, 16U})
    check(n, Merge::delta, 1, popsgd::sim::stationary_gamma_delta(n, 1));
}

TEST_CASE("H local steps multiply the stationary Gamma of agents by H (false alarms: 1.3e-7)") {
  check(8, Merge::average, 4, 4 * popsgd::sim::stationary_gamma_average(8, 1));
}

}  // namespace
