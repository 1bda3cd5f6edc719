// What a statistical test needs: estimates with their standard errors, and Pearson's test.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace popsgd::test {

/// A mean and its standard error.
struct Estimate {
  double mean;
  double error;

  /// How many standard errors the mean is away from `expected`. Means of many values are normal: beyond 5
  /// with probability 6e-7, beyond 5.5 with 4e-8.
  [[nodiscard]] double deviation(double expected) const { return std::fabs(mean - expected) / error; }
};

/// Of independent values, at least two.
inline Estimate estimate(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  double mean = 0;
  for (const double x : values) mean += x / count;
  double squares = 0;
  for (const double x : values) squares += (x - mean) * (x - mean);
  return {mean, std::sqrt(squares / (count - 1) / count)};
}

/// Of a stationary series with memory: batches much longer than the memory have independent means.
inline Estimate batch_means(std::span<const double> series, std::size_t batches) {
  const std::size_t length = series.size() / batches;
  std::vector<double> means(batches);
  for (std::size_t k = 0; k < batches; ++k) means[k] = estimate(series.subspan(k * length, length)).mean;
  return estimate(means);
}

/// Pearson's chi-square of counts in cells of the given probabilities (none 0, sum 1), turned into a standard
/// normal deviate (Wilson and Hilferty, 1931): above 5 with probability 3e-7 if the probabilities are right.
inline double chi_square_deviate(std::span<const std::uint64_t> counts,
                                 std::span<const double> probabilities) {
  double total = 0;
  for (const std::uint64_t count : counts) total += static_cast<double>(count);
  double chi_square = 0;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    const double expected = total * probabilities[k];
    const double gap = static_cast<double>(counts[k]) - expected;
    chi_square += gap * gap / expected;
  }
  const double freedom = static_cast<double>(counts.size() - 1);
  const double spread = 2 / (9 * freedom);
  return (std::cbrt(chi_square / freedom) - (1 - spread)) / std::sqrt(spread);
}

/// The same for cells that are all equally likely.
inline double chi_square_deviate(std::span<const std::uint64_t> counts) {
  return chi_square_deviate(counts,
                            std::vector<double>(counts.size(), 1 / static_cast<double>(counts.size())));
}

/// The false-alarm limit on chi_square_deviate() and Estimate::deviation() used throughout.
inline constexpr double kFiveSigma = 5;

}  // namespace popsgd::test
