// Sets drawn from a formula, so that what can be learned from them is known.
#include "readers.h"

#include <popsgd/random.h>

#include <algorithm>
#include <cmath>

namespace popsgd::sim {
namespace {

constexpr std::size_t kMostFeatures = 1U << 16;
// 16 GiB of floats; what there are addresses for, where these have 32 bits.
constexpr std::size_t kMostValues = std::size_t{1} << (sizeof(std::size_t) > 4 ? 32 : 29);

/// Uniform on the unit sphere: a normal vector, normalised.
std::vector<double> unit_direction(Random& random, std::size_t d) {
  std::vector<double> direction(d);
  double norm = 0.0;
  while (norm == 0.0) {
    for (double& x : direction) x = random.normal();
    for (const double x : direction) norm += x * x;
  }
  for (double& x : direction) x /= std::sqrt(norm);
  return direction;
}

Dataset unlabelled(std::size_t rows, std::size_t features, std::size_t classes) {
  Dataset data;
  data.rows = rows;
  data.features = features;
  data.classes = classes;
  data.floats.reserve(rows * features);
  data.labels.reserve(rows);
  return data;
}

Split without_transform(const Dataset& all, const Options& options, std::uint64_t seed) {
  Split split = split_rows(all, options, seed);
  standardise(split, Standardise::none);
  return split;
}

/// Two classes lie opposite each other, `separation` apart; more lie in directions of their own, at
/// `separation` from the origin.
std::vector<std::vector<double>> blob_centres(Random& random, std::size_t classes, std::size_t d,
                                              double separation) {
  std::vector<std::vector<double>> centres;
  for (std::size_t c = 0; c < classes; ++c) {
    if (classes == 2 && c == 1) {
      centres.push_back(centres[0]);
      for (double& x : centres[0]) x = -x;
    } else {
      centres.push_back(unit_direction(random, d));
      for (double& x : centres.back()) x *= classes == 2 ? separation / 2.0 : separation;
    }
  }
  return centres;
}

}  // namespace

/// As many rows of each class as of any other (to one): x = centre(class) + spread * N(0, I).
Split make_blobs(const DataSpec& spec, std::uint64_t seed) {
  const Options options(spec, {"d", "classes", "samples", "separation", "spread", "test"});
  const std::size_t d = options.count("d", 2, 1, kMostFeatures);
  const std::size_t classes = options.count("classes", 2, 2, 1000);
  const std::size_t samples = options.count("samples", 10'000, classes, kMostValues / d - 1);
  const double separation = options.real("separation", 4.0, 0.0, 1e6);
  const double spread = options.real("spread", 1.0, 0.0, 1e6);

  Random random(seed, Purpose::data);
  const auto centres = blob_centres(random, classes, d, separation);
  Dataset all = unlabelled(samples, d, classes);
  for (std::size_t row = 0; row < samples; ++row) {
    const std::size_t label = row % classes;
    all.labels.push_back(static_cast<std::uint32_t>(label));
    for (const double centre : centres[label]) {
      all.floats.push_back(static_cast<float>(centre + spread * random.normal()));
    }
  }
  return without_transform(all, options, seed);
}

/// x ~ N(0, I); the label is 1 with probability 1 / (1 + exp(-w.x)), where |w| = signal in a random
/// direction.
Split make_logistic(const DataSpec& spec, std::uint64_t seed) {
  const Options options(spec, {"d", "samples", "signal", "test"});
  const std::size_t d = options.count("d", 32, 1, kMostFeatures);
  const std::size_t samples = options.count("samples", 60'000, 2, kMostValues / d - 1);
  const double signal = options.real("signal", 3.0, 0.0, 1e6);

  Random random(seed, Purpose::data);
  const std::vector<double> direction = unit_direction(random, d);
  Dataset all = unlabelled(samples, d, 2);
  for (std::size_t row = 0; row < samples; ++row) {
    double margin = 0.0;
    for (const double w : direction) {
      all.floats.push_back(random.normal());
      margin += signal * w * all.floats.back();
    }
    const double probability = 1.0 / (1.0 + std::exp(-margin));
    all.labels.push_back(random.uniform() < probability ? 1U : 0U);
  }
  return without_transform(all, options, seed);
}

}  // namespace popsgd::sim
