#include <popsgd/sim/theory.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace popsgd::sim {

double stationary_gamma_average(double n, double v) {
  return v * (n - 1) * (n - 2) / n;
}
double stationary_gamma_delta(double n, double v) {
  return 2 * v * (n - 1) * (n - 1) / n;
}
double stationary_gamma_one_sided(double n, double v) {
  return v * (n - 1) * (n - 1) / (2 * (n + 1));
}

QuadraticMoments::QuadraticMoments(std::uint64_t agents, std::span<const float> curvature,
                                   double noise_variance, double eta, double start)
    : agents_(static_cast<double>(agents)) {
  const double n = agents_;
  const double v = eta * eta * noise_variance;
  for (const float a : curvature) {
    const double c = 1 - eta * static_cast<double>(a);
    const double k = (c - 1) * (c - 1) / (n * n);
    const Map step = agents == 1 ? Map{0, c * c, v, 0, c * c, v}
                                 : Map{.ss = 1 - 2 / n + c * c * (n - 2) / (n * (n - 1)),
                                       .sm = c * c * n / (n - 1),
                                       .s1 = v,
                                       .ms = k * (2 / n - 2 / (n * (n - 1))),
                                       .mm = 1 + 4 * (c - 1) / n + 2 * k * n / (n - 1),
                                       .m1 = 2 * v / (n * n)};
    coordinates_.push_back({static_cast<double>(a), step, n * start * start, start * start});
  }
}

QuadraticMoments::Map QuadraticMoments::after(const Map& second, const Map& first) {
  return {.ss = second.ss * first.ss + second.sm * first.ms,
          .sm = second.ss * first.sm + second.sm * first.mm,
          .s1 = second.ss * first.s1 + second.sm * first.m1 + second.s1,
          .ms = second.ms * first.ss + second.mm * first.ms,
          .mm = second.ms * first.sm + second.mm * first.mm,
          .m1 = second.ms * first.s1 + second.mm * first.m1 + second.m1};
}

void QuadraticMoments::advance(std::uint64_t interactions) {
  for (Coordinate& x : coordinates_) {
    Map power = x.step;  // the map applied 1, 2, 4, ... times
    for (std::uint64_t left = interactions; left > 0; left >>= 1) {
      if ((left & 1) != 0) {
        const double s = power.ss * x.s + power.sm * x.m + power.s1;
        x.m = power.ms * x.s + power.mm * x.m + power.m1;
        x.s = s;
      }
      power = after(power, power);
    }
  }
}

double QuadraticMoments::mean_error() const {
  double sum = 0;
  for (const Coordinate& x : coordinates_) sum += x.m;
  return sum;
}

double QuadraticMoments::agent_error() const {
  double sum = 0;
  for (const Coordinate& x : coordinates_) sum += x.s / agents_;
  return sum;
}

double QuadraticMoments::gamma() const {
  double sum = 0;
  for (const Coordinate& x : coordinates_) sum += x.s - agents_ * x.m;
  return sum;
}

double QuadraticMoments::mean_loss() const {
  double sum = 0;
  for (const Coordinate& x : coordinates_) sum += 0.5 * x.curvature * x.m;
  return sum;
}

namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

// The first interaction with an error of at most epsilon. With a stable step the error falls to its stationary value
// without turning back, so doubling and bisection find it.
std::uint64_t time_to(double epsilon, const QuadraticMoments& start) {
  const auto error_after = [&](std::uint64_t t) {
    QuadraticMoments moments = start;
    moments.advance(t);
    const double error = moments.mean_error();
    return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
  };
  std::uint64_t high = 1;
  while (error_after(high) > epsilon) {
    if (high > std::uint64_t{1} << 40) return kNever;
    high *= 2;
  }
  std::uint64_t low = high / 2;
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    (error_after(middle) > epsilon ? low : high) = middle;
  }
  return high;
}

}  // namespace

BestStep best_constant_step(std::uint64_t agents, std::span<const float> curvature, double noise_variance,
                            double start, double epsilon) {
  const auto interactions = [&](double log_eta) {
    return time_to(epsilon, QuadraticMoments(agents, curvature, noise_variance, std::exp(log_eta), start));
  };
  // A coarse scan brackets the minimum (the time is infinite on both sides), golden section refines it.
  const double ceiling = std::log(2.0);
  double best = ceiling;
  constexpr double kStride = 0.25;
  for (double x = ceiling; x > ceiling - 18; x -= kStride) {
    if (interactions(x) < interactions(best)) best = x;
  }
  double low = best - kStride;
  double high = best + kStride;
  while (high - low > 1e-4) {
    const double third = (high - low) * (2 - std::numbers::phi);
    if (interactions(low + third) <= interactions(high - third)) {
      high -= third;
    } else {
      low += third;
    }
  }
  const double eta = (low + high) / 2;
  return {std::exp(eta), interactions(eta)};
}

}  // namespace popsgd::sim
