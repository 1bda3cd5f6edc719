#include <popsgd/privacy.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace popsgd::accountant {
namespace {

// e^(x^2) erfc(x), x >= 0: beyond 4 the continued fraction of Laplace (Abramowitz, Stegun, 7.1.14), whose first 60 terms
// give a double's precision there.
double scaled_erfc(double x) {
  if (x < 4) return std::exp(x * x) * std::erfc(x);
  double tail = x;
  for (int k = 60; k > 0; --k) tail = x + 0.5 * k / tail;
  return std::numbers::inv_sqrtpi / tail;
}

// Between `low`, where within() holds, and somewhere above, where it does not: both ends of an interval that a double
// cannot halve.
struct Ends {
  double low;
  double high;
};
template <typename Within>
Ends bisect(double low, Within within) {
  double high = low + 1;
  while (within(high)) high *= 2;
  for (;;) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return {low, high};
    (within(middle) ? low : high) = middle;
  }
}

}  // namespace

// With a = epsilon/mu - mu/2 and b = epsilon/mu + mu/2, of which b^2 - a^2 = 2 epsilon: e^epsilon Phi(-b) =
// e^(-a^2/2) e^(b^2/2) Phi(-b), where nothing overflows.
double delta_at(double mu, double epsilon) noexcept {
  if (mu <= 0) return 0;
  const double a = epsilon / mu - mu / 2;
  const double b = epsilon / mu + mu / 2;
  const double scale = std::exp(-a * a / 2) / 2;
  const double beyond = scale * scaled_erfc(b / std::numbers::sqrt2);
  if (a <= 0) return std::erfc(a / std::numbers::sqrt2) / 2 - beyond;
  return scale * scaled_erfc(a / std::numbers::sqrt2) - beyond;
}

double epsilon_at(double mu, double delta) noexcept {
  if (delta_at(mu, 0) <= delta) return 0;
  return bisect(0, [=](double epsilon) { return delta_at(mu, epsilon) > delta; }).high;
}

double most_mu(double epsilon, double delta) noexcept {
  return bisect(0, [=](double mu) { return delta_at(mu, epsilon) <= delta; }).low;
}

double mu_after(double releases, double noise) noexcept {
  return 2 * std::sqrt(releases) / noise;
}

double epsilon_after(double releases, double noise, double delta) noexcept {
  return epsilon_at(mu_after(releases, noise), delta);
}

std::uint64_t most_releases(double epsilon, double delta, double noise) noexcept {
  const double root = most_mu(epsilon, delta) * noise / 2;
  constexpr double kRounding = 1e-12;
  return static_cast<std::uint64_t>(std::min(root * root * (1 + kRounding), 0x1p63));
}

}  // namespace popsgd::accountant
