// The network engine over links so fast that exchanges hardly ever collide: the closed forms of the population
// model hold for real agents too.
#include "network.h"

#include "noise.h"

#include <popsgd/sim/theory.h>

#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::sim::Merge;
using popsgd::sim::Settings;
using popsgd::test::kBatches;
using popsgd::test::kEta;
using popsgd::test::kSeed;
using popsgd::test::noise;
using popsgd::test::VirtualNetwork;

constexpr std::uint32_t kWait = 100'000;  // ms between two offers of an agent; an exchange takes some 10

// Stationary Gamma, looked at where the clock says and not where an exchange ends: half a wait apart, after 40
// waits. An exchange under way shifts it by less than its share of the time.
struct Series {
  std::vector<double> gamma;  // in units of eta^2
  popsgd::sim::NetworkTotals totals;
};

Series watch(std::uint32_t n, Merge merge, std::uint32_t local_steps, double sever = 0) {
  const Settings settings{.schedule = {.eta = static_cast<float>(kEta)},
                          .local_steps = {.mean = local_steps},
                          .merge = merge,
                          .agents = n,
                          .batch = 1,
                          .seed = kSeed};
  // Whoever is in doubt loses no more than a fifth of a second.
  VirtualNetwork net(noise(), settings,
                     {.link = {.sever = sever, .delay_ms = 1},
                      .mean_wait_ms = kWait,
                      .timing = {.idle = 200, .in_doubt = 200},
                      .gate = false});
  net->run_for(std::uint64_t{40} * kWait);
  Series series{std::vector<double>(600'000 / n / kBatches * kBatches), {}};
  for (double& value : series.gamma) {
    net->run_for(kWait / 2);
    value = net.gamma() / (kEta * kEta);
  }
  series.totals = net->totals();
  return series;
}

void check(std::uint32_t n, Merge merge, std::uint32_t local_steps, double expected) {
  const Series series = watch(n, merge, local_steps);
  CAPTURE(n);
  CAPTURE(local_steps);
  CHECK(series.totals.cut_short == 0);
  popsgd::test::check_stationary(series.gamma, expected);
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

TEST_CASE(
    "when one half of an exchange is lost with probability p, Gamma is (n-1) v ((1-1/n)/k - 1), k = (1-p)/2 "
    "+ "
    "p (n+1)/(4n) (false alarms: 1.3e-7 a p)") {
  constexpr double n = 8;
  for (const double p : {0.1, 0.5}) {
    CAPTURE(p);
    const Series series = watch(8, Merge::average, 1, p);
    const double k = (1 - p) / 2 + p * (n + 1) / (4 * n);
    popsgd::test::check_stationary(series.gamma, (n - 1) * ((1 - 1 / n) / k - 1));
    const double lost =
        static_cast<double>(series.totals.one_sided) / static_cast<double>(series.totals.completed);
    CHECK(lost == doctest::Approx(p).epsilon(0.02));
    CHECK(series.totals.in_doubt >= series.totals.one_sided - 8);
  }
}

}  // namespace
