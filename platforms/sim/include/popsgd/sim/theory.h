// What theory says: the closed forms a measurement is held against.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace popsgd::sim {

/// Stationary consensus distance E[Gamma], Gamma = sum_i |x_i - mu|^2, on the complete graph of n agents with no mean
/// gradient, where each step adds noise of total variance v = eta^2 sigma^2 and agents take H steps:
///     both adopt the average                     v H (n - 1)(n - 2) / n
///     opposite deltas of snapshots (non-blocking) 2 v H (n - 1)^2 / n
///     the initiator alone steps and adopts        v H (n - 1)^2 / (2 (n + 1))
[[nodiscard]] double stationary_gamma_average(double n, double v);
[[nodiscard]] double stationary_gamma_delta(double n, double v);
[[nodiscard]] double stationary_gamma_one_sided(double n, double v);

/// Exact second moments of PopSGD on a quadratic with independent gradient noise, H = 1, complete graph, constant
/// step. For each eigenvalue a, with c = 1 - eta a, k = (c - 1)^2 / n^2 and v = eta^2 s (s: the noise variance of
/// the coordinate), one interaction takes S = E sum_i x_i^2 and M = E mu^2, x measured from the optimum, to
///     S' = [1 - 2/n + c^2 (n-2)/(n(n-1))] S + c^2 n/(n-1) M + v
///     M' = k [2/n - 2/(n(n-1))] S + [1 + 4(c-1)/n + 2 k n/(n-1)] M + 2 v/n^2
/// n = 1 is plain SGD: M' = c^2 M + v, S = M.
class QuadraticMoments {
 public:
  /// All agents start at `start` from the optimum in every coordinate.
  QuadraticMoments(std::uint64_t agents, std::span<const float> curvature, double noise_variance, double eta,
                   double start);

  /// Goes on by a number of interactions (of steps when n = 1).
  void advance(std::uint64_t interactions);

  [[nodiscard]] double mean_error() const;   ///< E |mu - x*|^2
  [[nodiscard]] double agent_error() const;  ///< E |x_i - x*|^2
  [[nodiscard]] double gamma() const;        ///< E sum_i |x_i - mu|^2
  [[nodiscard]] double mean_loss() const;    ///< E 1/2 (mu - x*)^T A (mu - x*)

 private:
  // (S, M, 1) -> (S', M', 1): the two rows that matter.
  struct Map {
    double ss, sm, s1, ms, mm, m1;
  };
  struct Coordinate {
    double curvature;
    Map step;
    double s;
    double m;
  };
  static Map after(const Map& second, const Map& first);

  double agents_;
  std::vector<Coordinate> coordinates_;
};

/// The fewest interactions after which E |mu - x*|^2 <= epsilon over all constant steps, and that step, by search
/// over the exact moments.
struct BestStep {
  double eta = 0;
  std::uint64_t interactions = 0;
};
[[nodiscard]] BestStep best_constant_step(std::uint64_t agents, std::span<const float> curvature,
                                          double noise_variance, double start, double epsilon);

}  // namespace popsgd::sim
