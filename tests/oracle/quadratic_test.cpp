// A strongly convex quadratic: the drift of the mean, the exact error of every model at any time, and the
// speed-up.
#include "learner.h"
#include "statistics.h"

#include <popsgd/sim/theory.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::sim::BestStep;
using popsgd::sim::DataSpec;
using popsgd::sim::Merge;
using popsgd::sim::Problem;
using popsgd::sim::QuadraticMoments;
using popsgd::sim::Settings;
using popsgd::test::Estimate;
using popsgd::test::Learner;

constexpr std::uint64_t kSeed = 42;

// Eigenvalues spaced evenly in log from 1 to 1/kappa.
std::vector<float> curvatures(std::size_t d, double kappa) {
  std::vector<float> a(d);
  for (std::size_t k = 0; k < d; ++k) {
    a[k] = static_cast<float>(std::pow(kappa, -static_cast<double>(k) / static_cast<double>(d - 1)));
  }
  return a;
}

TEST_CASE("one interaction from a common model moves the mean by exactly -2 eta g / n") {
  const Problem problem(DataSpec::parse("least-squares:d=8,noise=0,samples=2"), "", kSeed);
  const double start = 1 / std::sqrt(8.0);
  for (const std::uint32_t n : {2U, 5U, 64U}) {
    for (const Merge merge : {Merge::average, Merge::delta}) {
      Learner learner("popsgd", problem,
                      {.schedule = {.eta = 0.25F}, .merge = merge, .agents = n, .batch = 1});
      learner->run_until(1);
      const auto mu = learner.mean();
      for (std::size_t k = 0; k < mu.size(); ++k) {
        const double gradient = static_cast<double>(problem.quadratic()->curvature()[k]) * start;
        CAPTURE(n);
        CHECK(mu[k] - start == doctest::Approx(-2 * 0.25 * gradient / n).epsilon(1e-5));
      }
    }
  }
}

// E mu <- (1 - drift eta a / n) E mu an interaction, where drift = 2 for PopSGD, whatever the merge, and
// 1/2 for the one-sided pull: a quarter, of which half for the single gradient it spends.
TEST_CASE(
    "the mean drifts by -2 eta g / n an interaction, half per gradient if one-sided (false alarms: 5e-6)") {
  constexpr std::uint32_t kAgents = 8;
  constexpr std::uint64_t kInteractions = 40;
  constexpr std::size_t kRuns = 400;
  constexpr double kEta = 0.25;
  const Problem problem(DataSpec::parse("least-squares:d=3,noise=0.1,kappa=4,samples=1000"), "", kSeed);
  struct Case {
    std::string algorithm;
    Merge merge;
    double drift;
    std::uint64_t exchanges;  // per interaction of run_until()
  };
  for (const Case& c : {Case{"popsgd", Merge::average, 2, 1}, Case{"popsgd", Merge::delta, 2, 1},
                        Case{"adpsgd", Merge::average, 0.5, 2}}) {
    std::vector<std::vector<double>> means(3, std::vector<double>(kRuns));
    for (std::size_t run = 0; run < kRuns; ++run) {
      Learner learner(c.algorithm, problem,
                      {.schedule = {.eta = static_cast<float>(kEta)},
                       .merge = c.merge,
                       .agents = kAgents,
                       .batch = 1,
                       .seed = kSeed + run});
      learner->run_until(kInteractions);
      const auto mu = learner.mean();
      for (std::size_t k = 0; k < mu.size(); ++k) means[k][run] = mu[k];
    }
    for (std::size_t k = 0; k < means.size(); ++k) {
      const auto a = static_cast<double>(problem.quadratic()->curvature()[k]);
      const double expected =
          std::pow(1 - c.drift * kEta * a / kAgents, static_cast<double>(kInteractions * c.exchanges)) /
          std::sqrt(3.0);
      const Estimate measured = popsgd::test::estimate(means[k]);
      CAPTURE(kSeed);
      CAPTURE(c.algorithm);
      CAPTURE(k);
      CAPTURE(expected);
      CAPTURE(measured.mean);
      CAPTURE(measured.error);
      CHECK(measured.error < 0.01 * expected);
      CHECK(measured.deviation(expected) < popsgd::test::kFiveSigma);
    }
  }
}

// S = E sum_i x_i^2 and M = E mu^2 of one coordinate, interaction by interaction as the formulas are written.
struct Moments {
  double s;
  double m;

  void interact(double n, double eta, double a, double noise_variance) {
    const double c = 1 - eta * a;
    const double v = eta * eta * noise_variance;
    const double k = (c - 1) * (c - 1) / (n * n);
    const double before = s;
    s = (1 - 2 / n + c * c * (n - 2) / (n * (n - 1))) * s + c * c * n / (n - 1) * m + v;
    m = k * (2 / n - 2 / (n * (n - 1))) * before + (1 + 4 * (c - 1) / n + 2 * k * n / (n - 1)) * m +
        2 * v / (n * n);
  }
};

TEST_CASE("QuadraticMoments is the recursion of the moments, applied any number of times at once") {
  const std::vector<float> curvature{1, 0.3F, 0};
  constexpr double kEta = 0.2;
  constexpr double kVariance = 0.5;
  for (const std::uint64_t n : {2UL, 3UL, 10UL, 1000UL}) {
    QuadraticMoments moments(n, curvature, kVariance, kEta, 2);
    const auto size = static_cast<double>(n);
    std::vector<Moments> expected(curvature.size(), {size * 4, 4});
    for (const std::uint64_t more : {0UL, 1UL, 2UL, 17UL, 1000UL}) {
      moments.advance(more);
      double mean = 0;
      double agent = 0;
      double loss = 0;
      for (std::size_t k = 0; k < curvature.size(); ++k) {
        const auto a = static_cast<double>(curvature[k]);
        for (std::uint64_t t = 0; t < more; ++t) expected[k].interact(size, kEta, a, kVariance);
        mean += expected[k].m;
        agent += expected[k].s / size;
        loss += 0.5 * a * expected[k].m;
      }
      CAPTURE(n);
      CHECK(moments.mean_error() == doctest::Approx(mean).epsilon(1e-10));
      CHECK(moments.agent_error() == doctest::Approx(agent).epsilon(1e-10));
      CHECK(moments.mean_loss() == doctest::Approx(loss).epsilon(1e-10));
      CHECK(std::fabs(moments.gamma() - size * (agent - mean)) < 1e-10 * size * agent);
    }
  }
}

TEST_CASE(
    "the moments of one agent are those of plain SGD, and a swarm's Gamma without curvature that of noise") {
  const std::vector<float> one{0.5F};
  QuadraticMoments alone(1, one, 0.3, 0.1, 2);
  alone.advance(1000);
  const double c2 = 0.95 * 0.95;
  const double steady = 0.01 * 0.3 / (1 - c2);
  CHECK(alone.mean_error() == doctest::Approx(steady + std::pow(c2, 1000) * (4 - steady)));
  CHECK(alone.agent_error() == doctest::Approx(alone.mean_error()));
  const std::vector<float> flat{0};
  QuadraticMoments noise(16, flat, 0.3, 0.1, 0);
  noise.advance(2000);
  CHECK(noise.gamma() == doctest::Approx(popsgd::sim::stationary_gamma_average(16, 0.01 * 0.3)));
}

TEST_CASE(
    "the errors of the mean and of an agent are the exact moments at any time (false alarms: 6e-7 a "
    "figure)") {
  constexpr double kEta = 0.2;
  const Problem problem(DataSpec::parse("least-squares:d=16,noise=1,kappa=10,distance=1,samples=20000"), "",
                        kSeed);
  struct Case {
    std::uint32_t n;
    std::size_t runs;
  };
  for (const Case& c : {Case{2, 4000}, Case{3, 4000}, Case{8, 3000}, Case{64, 600}}) {
    const std::vector<std::uint64_t> times{c.n / 2, 5UL * c.n / 2, 40UL * c.n / 2};
    std::vector<std::vector<double>> mean_errors(times.size(), std::vector<double>(c.runs));
    std::vector<std::vector<double>> agent_errors = mean_errors;
    for (std::size_t run = 0; run < c.runs; ++run) {
      Learner learner(
          "popsgd", problem,
          {.schedule = {.eta = static_cast<float>(kEta)}, .agents = c.n, .batch = 1, .seed = kSeed + run});
      for (std::size_t k = 0; k < times.size(); ++k) {
        learner->run_until(times[k]);
        for (const double x : learner.mean()) mean_errors[k][run] += x * x;
        for (const float x : learner.models()) {
          agent_errors[k][run] += static_cast<double>(x) * static_cast<double>(x) / c.n;
        }
      }
    }
    for (std::size_t k = 0; k < times.size(); ++k) {
      QuadraticMoments exact(c.n, problem.quadratic()->curvature(), problem.noise_variance(), kEta, 0.25);
      exact.advance(times[k]);
      const Estimate mean = popsgd::test::estimate(mean_errors[k]);
      const Estimate agent = popsgd::test::estimate(agent_errors[k]);
      CAPTURE(kSeed);
      CAPTURE(c.n);
      CAPTURE(times[k]);
      CAPTURE(exact.mean_error());
      CAPTURE(mean.mean);
      CAPTURE(exact.agent_error());
      CAPTURE(agent.mean);
      CHECK(mean.error < 0.02 * mean.mean);
      CHECK(mean.deviation(exact.mean_error()) < popsgd::test::kFiveSigma);
      CHECK(agent.deviation(exact.agent_error()) < popsgd::test::kFiveSigma);
    }
  }
}

// kappa = 10, d = 32, sigma = 1, from distance 1 to an error of 1e-3.
struct SpeedUp {
  std::uint64_t n;
  double parallel_time;  // as first tabulated, with the best of a coarser choice of steps
};
const std::vector<SpeedUp> kSpeedUp{{1, 75235}, {2, 37618}, {4, 18809}, {8, 9405}, {16, 4703},
                                    {32, 2352}, {64, 1176}, {128, 588}, {256, 295}};

TEST_CASE("with the best step the mean model's speed-up is linear: slope -1.000 up to 256 agents") {
  const auto curvature = curvatures(32, 10);
  double sx = 0;
  double sy = 0;
  double sxx = 0;
  double sxy = 0;
  for (const SpeedUp& row : kSpeedUp) {
    const BestStep best =
        popsgd::sim::best_constant_step(row.n, curvature, 1.0 / 32, 1 / std::sqrt(32.0), 1e-3);
    const auto size = static_cast<double>(row.n);
    const double time = row.n == 1 ? static_cast<double>(best.interactions)
                                   : 2 * static_cast<double>(best.interactions) / size;
    CAPTURE(row.n);
    CAPTURE(best.eta);
    CHECK(time <= row.parallel_time);
    CHECK(time > 0.95 * row.parallel_time);
    const double x = std::log(size);
    const double y = std::log(time);
    const auto count = static_cast<double>(kSpeedUp.size());
    sx += x / count;
    sy += y / count;
    sxx += x * x / count;
    sxy += x * y / count;
  }
  const double slope = (sxy - sx * sy) / (sxx - sx * sx);
  CAPTURE(slope);
  CHECK(std::fabs(slope + 1) < 0.005);
}

TEST_CASE("no constant step does better than the best one, and it is reached in time and not before") {
  const auto curvature = curvatures(32, 10);
  const double start = 1 / std::sqrt(32.0);
  for (const std::uint64_t n : {1UL, 8UL}) {
    const BestStep best = popsgd::sim::best_constant_step(n, curvature, 1.0 / 32, start, 1e-2);
    const auto error = [&](double eta, std::uint64_t t) {
      QuadraticMoments moments(n, curvature, 1.0 / 32, eta, start);
      moments.advance(t);
      return moments.mean_error();
    };
    CAPTURE(n);
    CAPTURE(best.eta);
    CHECK(error(best.eta, best.interactions) <= 1e-2);
    CHECK(error(best.eta, best.interactions - 1) > 1e-2);
    for (double factor = 0.5; factor < 2; factor += 0.01) {
      CHECK(error(factor * best.eta, best.interactions - best.interactions / 1000 - 1) > 1e-2);
    }
  }
}

TEST_CASE("the speed-up in practice: the best steps reach the error they promise (false alarms: 6e-7 an n)") {
  const auto curvature = curvatures(32, 10);
  const Problem problem(DataSpec::parse("least-squares:d=32,noise=1,kappa=10,samples=20000"), "", kSeed);
  for (const std::uint32_t n : {4U, 16U, 64U}) {
    const BestStep best = popsgd::sim::best_constant_step(n, curvature, 1.0 / 32, 1 / std::sqrt(32.0), 2e-2);
    std::vector<double> errors(300);
    for (std::size_t run = 0; run < errors.size(); ++run) {
      Learner learner(
          "popsgd", problem,
          {.schedule = {.eta = static_cast<float>(best.eta)}, .agents = n, .batch = 1, .seed = kSeed + run});
      learner->run_until(best.interactions);
      for (const double x : learner.mean()) errors[run] += x * x;
    }
    const Estimate measured = popsgd::test::estimate(errors);
    CAPTURE(kSeed);
    CAPTURE(n);
    CAPTURE(best.interactions);
    CAPTURE(measured.mean);
    CHECK(measured.error < 0.03 * 2e-2);
    QuadraticMoments exact(n, curvature, 1.0 / 32, best.eta, 1 / std::sqrt(32.0));
    exact.advance(best.interactions);
    CHECK(measured.deviation(exact.mean_error()) < popsgd::test::kFiveSigma);
  }
}

}  // namespace
