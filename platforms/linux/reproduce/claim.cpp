#include "reproduce/claim.h"

#include <array>
#include <cmath>

namespace popsgd::command {

std::span<const Claim> claims() {
  static constexpr std::array<Claim, 8> kClaims{{
      {"convex", "PopSGD converges for convex objectives.", test_convex},
      {"non-convex", "PopSGD converges for non-convex objectives.", test_non_convex},
      {"linear-speedup", "In the convex case n agents are n times as fast as one.", test_linear_speedup},
      {"concentration", "The agents' models stay concentrated around their mean.", test_concentration},
      {"comparison", "PopSGD learns as well as its alternatives from the same number of gradients.",
       test_comparison},
      {"byzantine", "A tenth of Byzantine agents does not keep the others from learning.", test_byzantine},
      {"quantized", "A few bits a parameter on the wire cost no accuracy.", test_quantized},
      {"fixed-point", "Agents learn in int16 and int8 as they do in floats.", test_fixed_point},
  }};
  return kClaims;
}

std::vector<double> mean_of_models(const sim::Algorithm& algorithm) {
  std::vector<double> mean(algorithm.model(0).size());
  for (std::uint32_t k = 0; k < algorithm.models(); ++k) {
    const ConstParams x = algorithm.model(k);
    for (std::size_t c = 0; c < mean.size(); ++c) mean[c] += static_cast<double>(x[c]);
  }
  for (double& value : mean) value /= algorithm.models();
  return mean;
}

double log_log_slope(std::span<const double> x, std::span<const double> y) {
  const auto n = static_cast<double>(x.size());
  double sx = 0;
  double sy = 0;
  double sxx = 0;
  double sxy = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const double u = std::log(x[k]);
    const double v = std::log(y[k]);
    sx += u;
    sy += v;
    sxx += u * u;
    sxy += u * v;
  }
  return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

}  // namespace popsgd::command
