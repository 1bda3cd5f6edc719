// The objective itself: the mean loss over all training rows, and its gradient.
#pragma once

#include <popsgd/sim/problem.h>

#include <span>
#include <vector>

namespace popsgd::command {

class FullBatch {
 public:
  /// `problem` must be of a network and outlive the object.
  explicit FullBatch(const sim::Problem& problem);

  [[nodiscard]] double loss(std::span<const double> x);
  [[nodiscard]] double squared_gradient_norm(std::span<const double> x);

  /// The least loss, by gradient descent from the initial model until the gradient has all but vanished.
  [[nodiscard]] double minimise();

 private:
  // Loss and gradient at x_, over blocks of rows summed in double.
  double evaluate();

  const sim::Problem& problem_;
  Gradient function_;
  std::vector<float> features_;
  std::vector<float> scratch_;
  std::vector<float> x_;
  std::vector<float> block_;
  std::vector<double> gradient_;
};

}  // namespace popsgd::command
