// The accountant against the definition of differential privacy and published bounds; what a release does to a model.
#include "seeded_entropy.h"
#include "statistics.h"

#include <popsgd/privacy.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using popsgd::test::estimate;
using popsgd::test::kFiveSigma;
using popsgd::test::SeededEntropy;

double normal_density(double x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * 3.14159265358979323846);
}
double normal_distribution(double x) {
  return std::erfc(-x / std::sqrt(2.0)) / 2;
}

// By the definition: how much more of its probability N(mu, 1) puts where it does than e^epsilon times that of N(0, 1).
double delta_by_integral(double mu, double epsilon) {
  constexpr int kSteps = 400'000;
  const double from = epsilon / mu + mu / 2;  // beyond it the first is larger
  const double step = 40.0 / kSteps;
  double sum = 0;
  for (int k = 0; k < kSteps; ++k) {
    const double x = from + (k + 0.5) * step;
    sum += (normal_density(x - mu) - std::exp(epsilon) * normal_density(x)) * step;
  }
  return sum;
}

TEST_CASE(
    "delta of 1-GDP at epsilon 1 is 0.12693674, and at any epsilon the integral of what exceeds e^epsilon") {
  // Phi(-1/2) - e Phi(-3/2), from tables of the normal distribution.
  CHECK(accountant::delta_at(1, 1) == doctest::Approx(0.12693674).epsilon(1e-7));
  for (const double mu : {0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0}) {
    for (const double epsilon : {0.0, 0.01, 0.5, 1.0, 3.0, 10.0, 50.0}) {
      CAPTURE(mu);
      CAPTURE(epsilon);
      const double expected = delta_by_integral(mu, epsilon);
      CHECK(std::fabs(accountant::delta_at(mu, epsilon) - expected) <= 1e-6 * expected + 1e-12);
    }
  }
  CHECK(accountant::delta_at(0, 1) == 0);
  // At epsilon 0 it is the total variation, 2 Phi(mu/2) - 1.
  for (const double mu : {1e-6, 0.3, 4.0, 30.0})
    CHECK(accountant::delta_at(mu, 0) == doctest::Approx(2 * normal_distribution(mu / 2) - 1).epsilon(1e-9));
}

TEST_CASE("epsilon and mu are the inverses of delta, on the safe side, however large") {
  for (const double delta : {1e-12, 1e-6, 1e-3, 0.3}) {
    for (const double mu : {1e-3, 0.1, 1.0, 7.0, 60.0, 1000.0}) {
      CAPTURE(delta);
      CAPTURE(mu);
      const double epsilon = accountant::epsilon_at(mu, delta);
      CHECK(accountant::delta_at(mu, epsilon) <= delta);
      if (epsilon == 0) continue;
      CHECK(accountant::delta_at(mu, epsilon * (1 - 1e-9)) > delta * (1 - 1e-9));
      CHECK(accountant::most_mu(epsilon, delta) == doctest::Approx(mu).epsilon(1e-9));
    }
  }
}

TEST_CASE(
    "epsilon is below the bounds of Dwork and Roth (Theorem A.1) and of Bun and Steinke (Proposition 1.3)") {
  for (const double delta : {1e-9, 1e-5, 1e-2}) {
    for (const double epsilon : {0.01, 0.1, 0.9}) {
      const double mu = epsilon / std::sqrt(2 * std::log(1.25 / delta));
      CHECK(accountant::epsilon_at(mu, delta) < epsilon);
    }
    for (const double mu : {0.01, 0.5, 1.0, 5.0, 50.0, 500.0}) {
      const double rho = mu * mu / 2;
      const double epsilon = accountant::epsilon_at(mu, delta);
      CHECK(epsilon < rho + 2 * std::sqrt(rho * std::log(1 / delta)));
      // The probability that the loss, N(mu^2/2, mu^2), is above epsilon + 1 is at most delta e / (e - 1).
      CHECK(normal_distribution(-(epsilon + 1 - rho) / mu) <= delta * 1.582);
    }
  }
}

TEST_CASE("k releases are as one with a noise of 1/sqrt(k), and as many as fit the budget are admitted") {
  CHECK(accountant::epsilon_after(100, 20, 1e-5) == doctest::Approx(accountant::epsilon_at(1, 1e-5)));
  CHECK(accountant::epsilon_after(1, 2, 1e-5) == doctest::Approx(accountant::epsilon_at(1, 1e-5)));
  for (const double releases : {1.0, 7.0, 1000.0}) {
    const double epsilon = accountant::epsilon_after(releases, 13, 1e-6);
    CHECK(accountant::most_releases(epsilon, 1e-6, 13) == static_cast<std::uint64_t>(releases));
    CHECK(accountant::most_releases(epsilon * 0.999, 1e-6, 13) < static_cast<std::uint64_t>(releases));
  }
}

// Kolmogorov's statistic, times the root of the count: above 2.2 once in 8,000 times.
double kolmogorov(std::vector<double> values) {
  std::ranges::sort(values);
  const auto count = static_cast<double>(values.size());
  double most = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double expected = normal_distribution(values[k]);
    most = std::max({most, std::fabs(expected - static_cast<double>(k) / count),
                     std::fabs(expected - static_cast<double>(k + 1) / count)});
  }
  return most * std::sqrt(count);
}

TEST_CASE(
    "what is released is normal around the shown model and the clipped update, and becomes both models") {
  constexpr std::size_t kCount = 40'001;
  for (const float update : {0.001F, 0.02F, 3.0F}) {  // norms 0.2, 4 and 600
    CAPTURE(update);
    SeededEntropy entropy(5);
    Privacy privacy({.clip = 2, .noise = 3, .epsilon = 1e6, .ahead = 0}, entropy);
    std::vector<float> shown(kCount);
    for (std::size_t k = 0; k < kCount; ++k) shown[k] = static_cast<float>(k % 100) * 0.25F;
    std::vector<float> model = shown;
    for (float& x : model) x += update;
    const std::vector<float> before = shown;
    double norm = 0;
    for (std::size_t k = 0; k < kCount; ++k)
      norm += std::pow(static_cast<double>(model[k]) - static_cast<double>(before[k]), 2);
    norm = std::sqrt(norm);
    const std::vector<float> learned = model;
    REQUIRE(privacy.release(model, shown, kCount) == Status::ok);
    CHECK(model == shown);
    const double scale = std::min(1.0, 2 / norm);
    std::vector<double> noise(kCount);
    std::vector<double> squares(kCount);
    std::vector<double> fourths(kCount);
    double together = 0;
    for (std::size_t k = 0; k < kCount; ++k) {
      const auto old = static_cast<double>(before[k]);
      const double centre = old + scale * (static_cast<double>(learned[k]) - old);
      noise[k] = (static_cast<double>(shown[k]) - centre) / 6;
      squares[k] = noise[k] * noise[k];
      fourths[k] = squares[k] * squares[k];
      if (k > 0) together += noise[k] * noise[k - 1];
    }
    CHECK(estimate(noise).deviation(0) < kFiveSigma);
    CHECK(estimate(squares).deviation(1) < kFiveSigma);
    CHECK(estimate(fourths).deviation(3) < kFiveSigma);
    CHECK(std::fabs(together) < kFiveSigma * std::sqrt(static_cast<double>(kCount)));
    CHECK(kolmogorov(noise) < 2.2);
    // 6 = clip * noise: a lattice of 2^(2 - 12).
    CHECK(std::ranges::all_of(shown, [](float x) { return std::fmod(x, 0x1p-10F) == 0; }));
  }
}

TEST_CASE("a block's share of the norm and of the cost is its length's: blocks cost as much as the model") {
  SeededEntropy entropy(6);
  Privacy whole({.noise = 1e-3F, .epsilon = 1e9, .ahead = 0}, entropy);
  Privacy parts({.noise = 1e-3F, .epsilon = 1e9, .ahead = 0}, entropy);
  std::vector<float> shown(1000);
  std::vector<float> model(1000, 1.0F);
  REQUIRE(parts.check() == Status::ok);
  for (const std::size_t begin : {0U, 100U, 350U}) {
    const std::size_t length = begin == 0 ? 100 : begin == 100 ? 250 : 650;
    REQUIRE(parts.release(std::span(model).subspan(begin, length), std::span(shown).subspan(begin, length),
                          1000) == Status::ok);
  }
  double squares = 0;
  for (const float x : shown) squares += static_cast<double>(x) * static_cast<double>(x);
  CHECK(squares == doctest::Approx(1.001).epsilon(0.01));  // the noise has 0.001
  std::vector<float> other(1000, 1.0F);
  std::vector<float> blank(1000);
  REQUIRE(whole.release(other, blank, 1000) == Status::ok);
  CHECK(parts.epsilon() == doctest::Approx(whole.epsilon()).epsilon(1e-9));
  CHECK(whole.epsilon() == doctest::Approx(accountant::epsilon_after(1, 1e-3, 1e-6)).epsilon(1e-6));
}

TEST_CASE("updates that are no numbers are not shown: noise alone takes their place") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    SeededEntropy entropy(7);
    Privacy privacy({.ahead = 0}, entropy);
    std::vector<float> shown(100, 5.0F);
    std::vector<float> model(100, 6.0F);
    model[50] = bad;
    REQUIRE(privacy.release(model, shown, 100) == Status::ok);
    CHECK(model == shown);
    CHECK(std::ranges::all_of(model, [](float x) { return std::fabs(x - 5) < 60; }));
  }
}

TEST_CASE("the budget admits the releases it is for and not one more, which changes nothing") {
  SeededEntropy entropy(8);
  const double epsilon = accountant::epsilon_after(5, 10, 1e-6);
  Privacy privacy({.noise = 10, .epsilon = epsilon, .delta = 1e-6, .ahead = 0}, entropy);
  CHECK(privacy.left() == doctest::Approx(5));
  CHECK(privacy.epsilon() == 0);
  std::vector<float> shown(10);
  std::vector<float> model(10, 1.0F);
  for (int k = 1; k <= 5; ++k) {
    REQUIRE(privacy.release(model, shown, 10) == Status::ok);
    CHECK(privacy.epsilon() == doctest::Approx(accountant::epsilon_after(k, 10, 1e-6)));
  }
  CHECK(privacy.epsilon() <= epsilon * (1 + 1e-9));
  CHECK(privacy.left() < 1);
  model.assign(10, 99.0F);
  const std::vector<float> before = shown;
  CHECK(privacy.release(model, shown, 10) == Status::budget_spent);
  CHECK(shown == before);
  CHECK(model == std::vector<float>(10, 99.0F));
}

TEST_CASE("when entropy runs dry the rest of the block is not shown, and the release is paid for") {
  SeededEntropy entropy(9);
  entropy.left = 2;
  Privacy privacy({.ahead = 0}, entropy);
  std::vector<float> shown(100);
  std::vector<float> model(100, 0.001F);
  CHECK(privacy.release(model, shown, 100) == Status::no_entropy);
  CHECK(std::all_of(shown.begin() + 64, shown.end(), [](float x) { return x == 0; }));
  CHECK(std::all_of(model.begin() + 64, model.end(), [](float x) { return x == 0.001F; }));
  CHECK(std::none_of(shown.begin(), shown.begin() + 64, [](float x) { return x == 0.001F; }));
  CHECK(privacy.epsilon() > 0);
}

TEST_CASE("releases wait for a checkpoint that pays for them, and a restart takes all of those for spent") {
  SeededEntropy entropy(10);
  const Privacy::Settings settings{.epsilon = accountant::epsilon_after(20, 10, 1e-6), .ahead = 4};
  Privacy privacy(settings, entropy);
  std::vector<float> shown(10);
  std::vector<float> model(10);
  CHECK(privacy.wants_save());
  CHECK(privacy.release(model, shown, 10) == Status::budget_spent);
  const double saved = privacy.reserve();
  CHECK(privacy.release(model, shown, 10) == Status::budget_spent);  // not durable yet
  privacy.reserved();
  CHECK_FALSE(privacy.wants_save());
  for (int k = 0; k < 4; ++k) {
    CHECK(privacy.wants_save() == (k >= 2));
    REQUIRE(privacy.release(model, shown, 10) == Status::ok);
  }
  CHECK(privacy.release(model, shown, 10) == Status::budget_spent);

  Privacy again(settings, entropy);
  again.resume(saved);
  CHECK(again.left() == doctest::Approx(16));
  CHECK(again.epsilon() == doctest::Approx(accountant::epsilon_after(4, 10, 1e-6)));
  CHECK(again.release(model, shown, 10) == Status::budget_spent);
  again.close();
  CHECK(again.reserve() == doctest::Approx(saved));  // a last checkpoint
  again.reserved();
  CHECK(again.release(model, shown, 10) == Status::budget_spent);

  Privacy damaged(settings, entropy);
  damaged.resume(std::numeric_limits<double>::quiet_NaN());
  CHECK(damaged.closed());
}

TEST_CASE("each privacy setting has its range") {
  SeededEntropy entropy(11);
  const auto status = [&entropy](auto change) {
    Privacy::Settings settings;
    change(settings);
    return Privacy(settings, entropy).check();
  };
  using S = Privacy::Settings;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(status([](S&) {}) == Status::ok);
  CHECK(status([](S& s) { s.clip = 0; }) == Status::invalid_rate);
  CHECK(status([](S& s) { s.noise = 0; }) == Status::invalid_rate);
  CHECK(status([nan](S& s) { s.clip = nan; }) == Status::invalid_rate);
  CHECK(status([nan](S& s) { s.noise = nan; }) == Status::invalid_rate);
  CHECK(status([](S& s) { s.noise = 1e35F; }) == Status::invalid_rate);
  CHECK(status([](S& s) { s.epsilon = 0; }) == Status::invalid_rate);
  CHECK(status([](S& s) { s.epsilon = std::numeric_limits<double>::infinity(); }) == Status::invalid_rate);
  CHECK(status([](S& s) { s.delta = 0; }) == Status::invalid_rate);
  CHECK(status([](S& s) { s.delta = 1; }) == Status::invalid_rate);
}

}  // namespace
