// Pure gradient noise: the stationary consensus distance and the random walk of the mean, against closed
// forms.
#include "noise.h"

#include "learner.h"
#include "statistics.h"

#include <popsgd/sim/theory.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::sim::LocalSteps;
using popsgd::sim::Merge;
using popsgd::sim::Settings;
using popsgd::test::Estimate;
using popsgd::test::kBatches;
using popsgd::test::kEta;
using popsgd::test::kSeed;
using popsgd::test::Learner;
using popsgd::test::noise;

// Stationary Gamma / (n eta^2 sigma^2): samples a unit of parallel time (n/2 interactions) apart, after 20
// relaxation times of n - 1 interactions or more.
std::vector<double> stationary_gamma(const std::string& algorithm, const Settings& settings,
                                     std::size_t samples) {
  Learner learner(algorithm, noise(), settings);
  const std::uint64_t spacing = settings.agents / 2;
  std::uint64_t now = 40 * spacing + 20;
  learner->run_until(now);
  std::vector<double> series(samples);
  for (double& value : series) {
    learner->run_until(now += spacing);
    value = learner.gamma() / (settings.agents * kEta * kEta);
  }
  return series;
}

// The formulas of theory.h over n v.
double over_n(double (*formula)(double n, double v), double n) {
  return formula(n, 1) / n;
}

Settings agents(std::uint32_t n) {
  return {.schedule = {.eta = static_cast<float>(kEta)}, .agents = n, .batch = 1, .seed = kSeed};
}

void check(const std::string& algorithm, const Settings& settings, std::size_t samples, double expected) {
  CAPTURE(algorithm);
  CAPTURE(settings.agents);
  popsgd::test::check_stationary(stationary_gamma(algorithm, settings, samples), expected);
}

// Enough samples for a standard error of some 0.15%: Gamma's own spread is sqrt(2 / (d (n - 1))), and it
// forgets within two samples.
std::size_t samples_for(std::uint32_t n) {
  const auto needed = static_cast<std::size_t>(700'000.0 / n);
  return (std::max<std::size_t>(needed, 1200) + kBatches - 1) / kBatches * kBatches;
}

// As published: stationary Gamma / (n v) of PopSGD.
struct Constant {
  std::uint32_t n;
  double value;
};
const std::vector<Constant> kConstants{{4, 0.375},    {8, 0.65625},   {16, 0.82031},   {32, 0.90820},
                                       {64, 0.95361}, {256, 0.98831}, {1024, 0.99707}, {4096, 0.99927}};

TEST_CASE("the published constants are the closed forms") {
  for (const Constant& constant : kConstants) {
    CAPTURE(constant.n);
    CHECK(std::fabs(over_n(popsgd::sim::stationary_gamma_average, constant.n) - constant.value) < 5.1e-6);
  }
}

TEST_CASE("Gamma of PopSGD is stationary at v (n-1)(n-2)/n (false alarms: 1.3e-7 an n)") {
  for (const Constant& constant : kConstants) {
    check("popsgd", agents(constant.n), samples_for(constant.n), constant.value);
  }
}

TEST_CASE("Gamma of two agents that always meet is 0") {
  Learner learner("popsgd", noise(), agents(2));
  learner->run_until(1000);
  CHECK(learner.gamma() == 0);
}

TEST_CASE("H local steps multiply the stationary Gamma by H (false alarms: 1.3e-7 a case)") {
  for (const std::uint32_t n : {4U, 16U, 64U}) {
    const double one = over_n(popsgd::sim::stationary_gamma_average, n);
    Settings settings = agents(n);
    settings.local_steps = {.mean = 4};
    check("popsgd", settings, samples_for(n) / 2 / kBatches * kBatches, 4 * one);
    settings.local_steps = {.mean = 3, .geometric = true};
    check("popsgd", settings, samples_for(n) / 2 / kBatches * kBatches, 3 * one);
  }
}

TEST_CASE("batches of B divide the stationary Gamma by B (false alarms: 1.3e-7)") {
  Settings settings = agents(16);
  settings.batch = 4;
  check("popsgd", settings, samples_for(16), over_n(popsgd::sim::stationary_gamma_average, 16) / 4);
}

TEST_CASE("Gamma of non-blocking deltas is stationary at 2 v (n-1)^2/n (false alarms: 1.3e-7 an n)") {
  for (const std::uint32_t n : {4U, 16U, 64U}) {
    Settings settings = agents(n);
    settings.merge = Merge::delta;
    check("popsgd", settings, samples_for(n), over_n(popsgd::sim::stationary_gamma_delta, n));
  }
}

TEST_CASE("Gamma of the one-sided pull is stationary at v (n-1)^2/(2(n+1)) (false alarms: 1.3e-7 an n)") {
  for (const std::uint32_t n : {4U, 16U, 64U}) {
    check("adpsgd", agents(n), 2 * samples_for(n), over_n(popsgd::sim::stationary_gamma_one_sided, n));
  }
}

TEST_CASE("E|mu|^2 grows by 2 v/n^2 an interaction, 2 H v/n^2 with H steps (false alarms: 6e-7 a case)") {
  constexpr std::size_t kRuns = 3000;
  constexpr std::uint64_t kInteractions = 40;
  struct Case {
    std::uint32_t n;
    LocalSteps steps;
    Merge merge;
  };
  for (const Case& c : {Case{4, {1}, Merge::average}, Case{16, {1}, Merge::average},
                        Case{8, {3}, Merge::average}, Case{8, {1}, Merge::delta}}) {
    std::vector<double> squares(kRuns);
    for (std::size_t run = 0; run < kRuns; ++run) {
      Settings settings = agents(c.n);
      settings.local_steps = c.steps;
      settings.merge = c.merge;
      settings.seed = kSeed + run;
      Learner learner("popsgd", noise(), settings);
      learner->run_until(kInteractions);
      for (const double x : learner.mean()) squares[run] += x * x;
    }
    const double expected = kInteractions * 2.0 * c.steps.mean * kEta * kEta / (c.n * c.n);
    const Estimate measured = popsgd::test::estimate(squares);
    CAPTURE(kSeed);
    CAPTURE(c.n);
    CAPTURE(c.steps.mean);
    CAPTURE(expected);
    CAPTURE(measured.mean);
    CAPTURE(measured.error);
    CHECK(measured.error < 0.01 * expected);
    CHECK(measured.deviation(expected) < popsgd::test::kFiveSigma);
  }
}

}  // namespace
