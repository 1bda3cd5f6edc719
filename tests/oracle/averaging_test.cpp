// What averaging alone does to the consensus distance Gamma = sum_i |x_i - mu|^2: expectations over all
// pairs, exactly.
#include "learner.h"

#include <popsgd/merge.h>
#include <popsgd/random.h>
#include <popsgd/sim/topology.h>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Purpose;
using popsgd::Random;
using popsgd::sim::Edge;
using popsgd::sim::Topology;
using Models = std::vector<std::vector<float>>;

Models normal_models(std::uint32_t agents, std::size_t d, std::uint64_t seed) {
  Random random(seed, Purpose::user);
  Models models(agents, std::vector<float>(d));
  for (auto& x : models) {
    for (float& value : x) value = random.normal();
  }
  return models;
}

std::vector<double> mean(const Models& models) {
  std::vector<double> mu(models[0].size());
  for (const auto& x : models) {
    for (std::size_t k = 0; k < mu.size(); ++k)
      mu[k] += static_cast<double>(x[k]) / static_cast<double>(models.size());
  }
  return mu;
}

double gamma(const Models& models) {
  const auto mu = mean(models);
  double sum = 0;
  for (const auto& x : models) {
    for (std::size_t k = 0; k < mu.size(); ++k) {
      const double gap = static_cast<double>(x[k]) - mu[k];
      sum += gap * gap;
    }
  }
  return sum;
}

std::vector<Edge> all_pairs(std::uint32_t agents) {
  std::vector<Edge> pairs;
  for (std::uint32_t a = 0; a < agents; ++a) {
    for (std::uint32_t b = a + 1; b < agents; ++b) pairs.push_back({a, b});
  }
  return pairs;
}

// E[Gamma'] over equally likely pairs, where meet(models, i, j) is what a pair does.
template <typename Meet>
double expected_gamma(const Models& models, std::span<const Edge> pairs, Meet meet) {
  double sum = 0;
  for (const Edge pair : pairs) {
    Models after = models;
    meet(after[pair.a], after[pair.b]);
    sum += gamma(after);
  }
  return sum / static_cast<double>(pairs.size());
}

void average(std::vector<float>& a, std::vector<float>& b) {
  popsgd::adopt_average(a, b);
}

TEST_CASE("averaging a random pair contracts Gamma by exactly 1 - 1/(n-1)") {
  for (const std::uint32_t n : {2U, 3U, 4U, 8U, 16U, 33U}) {
    for (const std::size_t d : {1UL, 7UL, 32UL}) {
      const Models models = normal_models(n, d, n);
      const double ratio = expected_gamma(models, all_pairs(n), average) / gamma(models);
      CAPTURE(n);
      CAPTURE(d);
      CHECK(std::fabs(ratio - (1 - 1 / (n - 1.0))) < 1e-6);
    }
  }
}

TEST_CASE("moving by weight w on both sides contracts Gamma by exactly 1 - 4 w (1 - w)/(n-1)") {
  for (const std::uint32_t n : {2U, 3U, 8U, 16U}) {
    const Models models = normal_models(n, 9, n);
    for (const float w : {0.0F, 0.1F, 0.25F, 0.5F, 0.75F, 1.0F}) {
      const auto move = [w](std::vector<float>& a, std::vector<float>& b) {
        const auto snapshot_a = a;
        const auto snapshot_b = b;
        popsgd::apply_delta(a, snapshot_a, snapshot_b, w);
        popsgd::apply_delta(b, snapshot_b, snapshot_a, w);
      };
      const auto weight = static_cast<double>(w);
      const double ratio = expected_gamma(models, all_pairs(n), move) / gamma(models);
      CAPTURE(n);
      CAPTURE(w);
      CHECK(std::fabs(ratio - (1 - 4 * weight * (1 - weight) / (n - 1))) < 1e-6);
    }
  }
}

// The eigenvector of lambda_2 of the Laplacian: power iteration on c I - L, with the constant vector taken
// out.
std::vector<double> fiedler(const Topology& graph) {
  const std::uint32_t n = graph.agents();
  std::size_t most = 0;
  for (std::uint32_t i = 0; i < n; ++i) most = std::max(most, graph.neighbours(i).size());
  std::vector<double> x(n);
  Random random(1, Purpose::user);
  for (double& value : x) value = static_cast<double>(random.normal());
  for (int step = 0; step < 20'000; ++step) {
    std::vector<double> y(n);
    double sum = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
      y[i] = (2.0 * static_cast<double>(most) - static_cast<double>(graph.neighbours(i).size())) * x[i];
      for (const std::uint32_t j : graph.neighbours(i)) y[i] += x[j];
      sum += y[i];
    }
    double squares = 0;
    for (double& value : y) {
      value -= sum / n;
      squares += value * value;
    }
    for (std::uint32_t i = 0; i < n; ++i) x[i] = y[i] / std::sqrt(squares);
  }
  return x;
}

TEST_CASE(
    "on a graph averaging contracts Gamma by 1 - lambda_2/(r n) or more, and the slowest mode by no more") {
  for (const std::string spec : {"ring", "torus", "regular:3", "small-world:4,0.3"}) {
    for (const std::uint32_t n : {12U, 24U}) {
      const Topology graph = Topology::make(spec, n, 5);
      // r n = 2 m, which is what it means on irregular graphs too.
      const double bound = 1 - graph.spectral_gap() / (2 * static_cast<double>(graph.edges()));
      CAPTURE(spec);
      CAPTURE(n);
      const Models random = normal_models(n, 3, n);
      CHECK(expected_gamma(random, graph.edge_list(), average) <= bound * gamma(random) * (1 + 1e-6));
      Models slowest(n, std::vector<float>(1));
      const auto mode = fiedler(graph);
      for (std::uint32_t i = 0; i < n; ++i) slowest[i][0] = static_cast<float>(mode[i]);
      const double ratio = expected_gamma(slowest, graph.edge_list(), average) / gamma(slowest);
      CHECK(ratio == doctest::Approx(bound).epsilon(1e-5));
    }
  }
}

TEST_CASE("on the ring and the torus lambda_2 is 2 - 2 cos(2 pi / longest side)") {
  CHECK(Topology::make("ring", 24, 1).spectral_gap() ==
        doctest::Approx(2 - 2 * std::cos(2 * std::numbers::pi / 24)));
  CHECK(Topology::make("torus", 24, 1).spectral_gap() ==
        doctest::Approx(2 - 2 * std::cos(2 * std::numbers::pi / 6)));
}

TEST_CASE("any number of averagings conserves the mean to float rounding") {
  constexpr std::uint32_t kAgents = 50;
  Models models = normal_models(kAgents, 17, 3);
  const auto before = mean(models);
  Random random(4, Purpose::user);
  for (int t = 0; t < 20'000; ++t) {
    const std::uint32_t i = random.below(kAgents);
    const std::uint32_t j = (i + 1 + random.below(kAgents - 1)) % kAgents;
    popsgd::adopt_average(models[i], models[j]);
  }
  const auto after = mean(models);
  for (std::size_t k = 0; k < before.size(); ++k) CHECK(std::fabs(after[k] - before[k]) < 1e-6);
  CHECK(gamma(models) < 1e-8);  // and all agree
}

TEST_CASE("settling: steps of size zero average the swarm and conserve its mean") {
  using popsgd::Schedule;
  const popsgd::sim::Problem problem(popsgd::sim::DataSpec::parse("noise:d=16,samples=1000"), "", 1);
  for (const auto merge : {popsgd::sim::Merge::average, popsgd::sim::Merge::delta}) {
    popsgd::sim::Settings settings{
        .clock = popsgd::sim::Clock::own, .merge = merge, .agents = 32, .batch = 1};
    settings.schedule = {.shape = Schedule::Shape::piecewise, .eta = 0.5F, .breakpoint_count = 1};
    settings.schedule.breakpoints[0] = {30, 0};
    popsgd::test::Learner learner("popsgd", problem, settings);
    learner->run_until(100 * 16);  // by now all have taken their 30 steps
    const auto before = learner.mean();
    const double gamma_before = learner.gamma();
    learner->run_until(100 * 16 + 32 * 20);
    const auto after = learner.mean();
    for (std::size_t k = 0; k < before.size(); ++k) CHECK(std::fabs(after[k] - before[k]) < 1e-6);
    CHECK(learner.gamma() <= gamma_before * 1e-4 + 1e-9);
  }
}

}  // namespace
