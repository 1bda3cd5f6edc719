// The second smallest eigenvalue of the graph Laplacian.
#include "graphs.h"

#include <popsgd/random.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <Eigen/Dense>

namespace popsgd::sim {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

double dense_gap(const Topology& topology) {
  const auto n = static_cast<Index>(topology.agents());
  MatrixXd laplacian = MatrixXd::Zero(n, n);
  for (const auto [a, b] : topology.edge_list()) {
    laplacian(a, a) += 1;
    laplacian(b, b) += 1;
    laplacian(a, b) = laplacian(b, a) = -1;
  }
  return Eigen::SelfAdjointEigenSolver<MatrixXd>(laplacian, Eigen::EigenvaluesOnly).eigenvalues()(1);
}

/// (D - A) v
VectorXd laplacian_times(const Topology& topology, const VectorXd& v) {
  VectorXd result(v.size());
  for (std::uint32_t i = 0; i < topology.agents(); ++i) {
    const auto neighbours = topology.neighbours(i);
    double sum = 0;
    for (const std::uint32_t j : neighbours) sum += v(j);
    result(i) = static_cast<double>(neighbours.size()) * v(i) - sum;
  }
  return result;
}

/// Unit length, orthogonal to the constant vector, which is the Laplacian's first eigenvector.
VectorXd random_start(Index n) {
  Random random(0, Purpose::topology);
  VectorXd x = VectorXd::NullaryExpr(n, [&] { return random.uniform(); });
  x.array() -= x.mean();
  return x.normalized();
}

/// The symmetric tridiagonal matrix that Lanczos builds, positive definite: its rows so far.
struct Tridiagonal {
  std::vector<double> diagonal;
  std::vector<double> off_diagonal;  ///< [k] couples row k to row k + 1; the last leads out of the matrix

  /// The pivots of T - x I are all positive exactly when x is below every eigenvalue.
  [[nodiscard]] bool is_below_spectrum(double x) const {
    double pivot = diagonal[0] - x;
    for (std::size_t k = 1; k < diagonal.size() && pivot > 0; ++k)
      pivot = diagonal[k] - x - off_diagonal[k - 1] * off_diagonal[k - 1] / pivot;
    return pivot > 0;
  }

  /// The smallest eigenvalue, by bisection.
  [[nodiscard]] double smallest() const {
    double low = 0;
    double high = *std::ranges::min_element(diagonal);
    for (int halving = 0; halving < 64; ++halving) {
      const double middle = (low + high) / 2;
      (is_below_spectrum(middle) ? low : high) = middle;
    }
    return low;
  }

  /// How near `theta` is to an eigenvalue of L for certain: the least |L u - theta u| over unit vectors u,
  /// one for each row k. It solves the rows of (T - theta I) y = 0 above row k and ends there with y_k = 1;
  /// what is left over is the pivot in row k and off_diagonal[k] in the next, to be divided by |y|.
  [[nodiscard]] double residual(double theta) const {
    double best = std::numeric_limits<double>::infinity();
    double pivot = diagonal[0] - theta;
    double squared_norm = 1;
    for (std::size_t k = 0;; ++k) {
      best = std::min(best, std::hypot(pivot, off_diagonal[k]) / std::sqrt(squared_norm));
      if (k + 1 == diagonal.size()) return best;
      const double ratio = off_diagonal[k] / pivot;
      squared_norm = 1 + ratio * ratio * squared_norm;
      pivot = diagonal[k + 1] - theta - ratio * off_diagonal[k];
    }
  }
};

/// Lanczos, 1950, orthogonally to the constant vector. Without reorthogonalisation converged values come
/// again (Paige, 1971), which does no harm to the smallest. The limit is on work, about 2e9 units a second,
/// and not on time, so that the answer is reproducible.
double iterative_gap(const Topology& topology) {
  constexpr double tolerance = 1e-3;
  constexpr double budget = 1.6e9;
  const double step_cost = 10.0 * topology.agents() + 12.0 * static_cast<double>(topology.edges());

  Tridiagonal t;
  VectorXd v = random_start(topology.agents());
  VectorXd previous = VectorXd::Zero(v.size());
  double norm = 0;
  std::size_t next_check = 16;
  for (double spent = 0; spent < budget; spent += step_cost) {
    VectorXd next = laplacian_times(topology, v) - norm * previous;
    t.diagonal.push_back(v.dot(next));
    next -= t.diagonal.back() * v;
    next.array() -= next.mean();
    norm = next.norm();
    t.off_diagonal.push_back(norm);

    const bool exhausted = norm <= 1e-9 * t.diagonal.back();
    if (exhausted || t.diagonal.size() >= next_check) {
      const double theta = t.smallest();
      if (t.residual(theta) <= tolerance * theta) return theta;
      next_check += next_check / 4;
    }
    previous.swap(v);
    v = next / norm;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

double laplacian_gap(const Topology& topology) {
  constexpr std::uint32_t dense_limit = 500;
  return topology.agents() <= dense_limit ? dense_gap(topology) : iterative_gap(topology);
}

}  // namespace popsgd::sim
