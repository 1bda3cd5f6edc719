#include "yardstick.h"

#include <cmath>

namespace yardstick {
namespace {

using Eigen::MatrixXf;
using Eigen::VectorXf;
using Index = std::uniform_int_distribution<int>;

void softmax_delta(MatrixXf& z, const std::vector<int>& y) {
  for (int c = 0; c < z.cols(); ++c) {
    z.col(c) = (z.col(c).array() - z.col(c).maxCoeff()).exp();
    z.col(c) /= z.col(c).sum();
    z(y[static_cast<std::size_t>(c)], c) -= 1;
  }
  z /= static_cast<float>(z.cols());
}

template <typename Matrix>
void average(Matrix& a, Matrix& b) {
  a = (a + b) / 2;
  b = a;
}

}  // namespace

LeastSquares::LeastSquares(const popsgd::sim::Dataset& data, int agents, float rate)
    : lr(rate),
      a(static_cast<int>(data.features)),
      c(Eigen::Map<const MatrixXf>(data.floats.data(), a.size(), static_cast<int>(data.rows))),
      x(static_cast<std::size_t>(agents), VectorXf::Ones(a.size())) {
  for (int k = 0; k < a.size(); ++k)
    a[k] = std::pow(10.0F, -static_cast<float>(k) / static_cast<float>(a.size() - 1));
}

void LeastSquares::advance(std::uint64_t interactions) {
  Index first(0, static_cast<int>(x.size()) - 1);
  Index second(0, static_cast<int>(x.size()) - 2);
  Index sample(0, static_cast<int>(c.cols()) - 1);
  for (std::uint64_t t = 0; t < interactions; ++t) {
    const int i = first(random);
    int j = second(random);
    if (j >= i) ++j;
    VectorXf& xi = x[static_cast<std::size_t>(i)];
    VectorXf& xj = x[static_cast<std::size_t>(j)];
    xi -= lr * (a.cwiseProduct(xi) - c.col(sample(random)));
    xj -= lr * (a.cwiseProduct(xj) - c.col(sample(random)));
    average(xi, xj);
  }
}

Network::Network(const popsgd::sim::Dataset& data, int agents, int batch, int hidden, float rate)
    : lr(rate),
      images(static_cast<int>(data.features), static_cast<int>(data.rows)),
      labels(data.labels.begin(), data.labels.end()),
      x(images.rows(), batch),
      y(static_cast<std::size_t>(batch)) {
  for (int r = 0; r < images.cols(); ++r) {
    const auto row = static_cast<std::uint32_t>(r);
    data.gather({&row, 1}, images.col(r).data());
  }
  const auto classes = static_cast<int>(data.classes);
  const int width = hidden > 0 ? hidden : classes;
  Net start{MatrixXf::Zero(width, images.rows()), {}, VectorXf::Zero(width), {}};
  if (hidden > 0) {
    start.w1 = 0.08F * MatrixXf::Random(width, images.rows());
    start.w2 = MatrixXf::Zero(classes, hidden);
    start.b2 = VectorXf::Zero(classes);
  }
  nets.assign(static_cast<std::size_t>(agents), start);
}

void Network::step(Net& net) const {
  if (net.w2.size() == 0) {
    MatrixXf d = (net.w1 * x).colwise() + net.b1;
    softmax_delta(d, y);
    net.w1.noalias() -= lr * d * x.transpose();
    net.b1 -= lr * d.rowwise().sum();
    return;
  }
  const MatrixXf h = ((net.w1 * x).colwise() + net.b1).cwiseMax(0.0F);
  MatrixXf d = (net.w2 * h).colwise() + net.b2;
  softmax_delta(d, y);
  const MatrixXf e = (h.array() > 0).select(net.w2.transpose() * d, 0.0F);
  net.w2.noalias() -= lr * d * h.transpose();
  net.b2 -= lr * d.rowwise().sum();
  net.w1.noalias() -= lr * e * x.transpose();
  net.b1 -= lr * e.rowwise().sum();
}

void Network::advance(std::uint64_t interactions) {
  Index first(0, static_cast<int>(nets.size()) - 1);
  Index second(0, static_cast<int>(nets.size()) - 2);
  Index sample(0, static_cast<int>(images.cols()) - 1);
  for (std::uint64_t t = 0; t < interactions; ++t) {
    const int i = first(random);
    int j = second(random);
    if (j >= i) ++j;
    Net& a = nets[static_cast<std::size_t>(i)];
    Net& b = nets[static_cast<std::size_t>(j)];
    for (Net* net : {&a, &b}) {
      for (int c = 0; c < x.cols(); ++c) {
        const int s = sample(random);
        x.col(c) = images.col(s);
        y[static_cast<std::size_t>(c)] = labels[static_cast<std::size_t>(s)];
      }
      step(*net);
    }
    average(a.w1, b.w1);
    average(a.b1, b.b1);
    average(a.w2, b.w2);
    average(a.b2, b.b2);
  }
}

}  // namespace yardstick
