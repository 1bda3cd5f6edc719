// The bar: PopSGD as anyone would write it in an afternoon, sequential and with Eigen.
#pragma once

#include <popsgd/sim/dataset.h>

#include <cstdint>
#include <random>
#include <vector>

#include <Eigen/Dense>

namespace yardstick {

/// Least squares with a diagonal design (see popsgd::Quadratic), batch 1.
struct LeastSquares {
  LeastSquares(const popsgd::sim::Dataset& data, int agents, float lr);
  void advance(std::uint64_t interactions);

  float lr;
  Eigen::VectorXf a;
  Eigen::MatrixXf c;
  std::vector<Eigen::VectorXf> x;
  std::mt19937 random{1};
};

/// Softmax regression (hidden = 0) or an MLP with one hidden layer.
struct Network {
  struct Net {
    Eigen::MatrixXf w1, w2;
    Eigen::VectorXf b1, b2;
  };

  Network(const popsgd::sim::Dataset& data, int agents, int batch, int hidden, float lr);
  void advance(std::uint64_t interactions);
  void step(Net& net) const;

  float lr;
  Eigen::MatrixXf images;
  std::vector<int> labels;
  std::vector<Net> nets;
  Eigen::MatrixXf x;
  std::vector<int> y;
  std::mt19937 random{1};
};

}  // namespace yardstick
