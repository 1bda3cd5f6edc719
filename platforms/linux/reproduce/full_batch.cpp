#include "reproduce/full_batch.h"

#include <algorithm>
#include <numeric>

namespace popsgd::command {
namespace {

constexpr std::size_t kRows = 500;

double norm2(std::span<const double> x) {
  return std::inner_product(x.begin(), x.end(), x.begin(), 0.0);
}

void round_to(std::span<const double> x, std::vector<float>& out) {
  std::transform(x.begin(), x.end(), out.begin(), [](double value) { return static_cast<float>(value); });
}

}  // namespace

FullBatch::FullBatch(const sim::Problem& problem)
    : problem_(problem),
      function_(problem.gradient(kRows)),
      features_(problem.train().rows * problem.train().features),
      scratch_(function_.scratch),
      x_(problem.parameters()),
      block_(problem.parameters()),
      gradient_(problem.parameters()) {
  std::vector<std::uint32_t> index(problem.train().rows);
  std::iota(index.begin(), index.end(), 0U);
  problem.train().gather(index, features_.data());
}

double FullBatch::evaluate() {
  const sim::Dataset& data = problem_.train();
  std::fill(gradient_.begin(), gradient_.end(), 0.0);
  double loss = 0;
  for (std::size_t start = 0; start < data.rows; start += kRows) {
    const std::size_t rows = std::min(kRows, data.rows - start);
    const Batch batch{.rows = rows,
                      .features = std::span(features_).subspan(start * data.features, rows * data.features),
                      .labels = std::span(data.labels).subspan(start, rows)};
    const double share = static_cast<double>(rows) / static_cast<double>(data.rows);
    loss += share * static_cast<double>(function_(x_, batch, 0, 1, block_, scratch_));
    for (std::size_t k = 0; k < block_.size(); ++k) gradient_[k] += share * static_cast<double>(block_[k]);
  }
  return loss;
}

double FullBatch::loss(std::span<const double> x) {
  round_to(x, x_);
  return evaluate();
}

double FullBatch::squared_gradient_norm(std::span<const double> x) {
  round_to(x, x_);
  evaluate();
  return norm2(gradient_);
}

double FullBatch::minimise() {
  // Nesterov's method with a step that is halved whenever the loss grows.
  problem_.initialise(x_);
  std::vector<double> x(x_.begin(), x_.end());
  std::vector<double> previous = x;
  double step = 4;
  double best = loss(x);
  double momentum = 1;
  for (int k = 0; k < 3000; ++k) {
    const double next = momentum + 1;
    std::vector<double> ahead(x.size());
    for (std::size_t c = 0; c < x.size(); ++c)
      ahead[c] = x[c] + (momentum - 1) / (next + 1) * (x[c] - previous[c]);
    if (squared_gradient_norm(ahead) < 1e-12) break;
    previous = x;
    for (std::size_t c = 0; c < x.size(); ++c) x[c] = ahead[c] - step * gradient_[c];
    const double now = loss(x);
    if (now > best) {
      x = previous;
      step /= 2;
      momentum = 1;
      if (step < 1e-3) break;
    } else {
      best = now;
      momentum = next;
    }
  }
  return best;
}

}  // namespace popsgd::command
