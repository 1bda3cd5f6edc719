// What a quantised exchange adds to the stationary consensus distance, against its closed form.
//
// Both partners share their dither, so the gap of their points is a stochastic rounding of the gap of their models: its
// error has variance s^2 / 6 a coordinate where that gap is spread over more than a step s. Each moves by half of the
// gap, in opposite ways: both halves of the error are s^2 / 24, so an interaction adds s^2 / 12 a coordinate to Gamma.
// Averaging removes Gamma / (n - 1), hence, in d dimensions,
//
//     E[Gamma] = v (n-1)(n-2)/n + d u (n-1),    u = s^2 / 12
//
// which is the form for opposite deltas of two models with the independent errors u of subtractive dither.
#include "learner.h"
#include "noise.h"

#include <popsgd/sim/theory.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::sim::Encoding;
using popsgd::sim::Settings;
using popsgd::test::kBatches;
using popsgd::test::kEta;
using popsgd::test::kSeed;
using popsgd::test::Learner;
using popsgd::test::noise;

TEST_CASE(
    "Gamma with points of step s is stationary at v (n-1)(n-2)/n + d s^2 (n-1) / 12 (false alarms: 1.3e-7)") {
  constexpr double kDimensions = 16;
  // eta sigma is 2^-5 a coordinate. Steps of twice and four times that, where models are 1.2 and 1.6 steps apart.
  for (const int exponent : {-4, -3}) {
    for (const std::uint32_t n : {8U, 16U, 64U}) {
      CAPTURE(exponent);
      CAPTURE(n);
      Settings settings{
          .schedule = {.eta = static_cast<float>(kEta)}, .agents = n, .batch = 1, .seed = kSeed};
      settings.encoding = {.code = Encoding::Code::lattice, .bits = 8, .exponent = exponent};
      Learner learner("popsgd", noise(), settings);
      std::uint64_t now = 20 * n + 20;
      learner->run_until(now);
      std::vector<double> series(700'000 / n / kBatches * kBatches);
      for (double& value : series) {
        learner->run_until(now += n / 2);
        value = learner.gamma();
      }
      const double u = std::ldexp(1.0, 2 * exponent) / 12;
      const double expected =
          popsgd::sim::stationary_gamma_average(n, kEta * kEta) + kDimensions * u * (n - 1);
      popsgd::test::check_stationary(series, expected);
      CHECK(learner->account().wrapped == 0);
    }
  }
}

}  // namespace
