#include "models/layer.h"
#include "models/no_gradient.h"
#include "numeric/kernels.h"

#include <popsgd/assert.h>
#include <popsgd/network.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace popsgd {
namespace {

// z = W a + b for every row of a.
void affine(const Layer& layer, ConstParams x, std::size_t rows, const float* a, float* z) {
  numeric::dot_rows(rows, layer.outputs, layer.inputs, a, layer.inputs, x.data() + layer.weights,
                    layer.inputs, z, layer.outputs);
  const float* bias = x.data() + layer.biases;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t k = 0; k < layer.outputs; ++k) z[row * layer.outputs + k] += bias[k];
  }
}

void relu(std::size_t count, float* z) {
  // Written so that a NaN stays one: a diverged model must not look healthy.
  for (std::size_t k = 0; k < count; ++k) z[k] = z[k] < 0 ? 0 : z[k];
}

// The last layer's values of a batch, and what they are held against.
struct Outputs {
  const Batch& batch;
  std::size_t width;
  float* z;
};

// Each of the three turns z into d loss / d z and returns the loss, both summed over the rows.

double squared_loss(const Outputs& out) {
  double loss = 0;
  for (std::size_t row = 0; row < out.batch.rows; ++row) {
    for (std::size_t k = 0; k < out.width; ++k) {
      float& z = out.z[row * out.width + k];
      const float target = out.batch.labels.empty() ? out.batch.targets[row * out.width + k]
                                                    : (out.batch.labels[row] == k ? 1.0F : 0.0F);
      z -= target;
      loss += 0.5 * static_cast<double>(z) * static_cast<double>(z);
    }
  }
  return loss;
}

double logistic_loss(const Outputs& out) {
  double loss = 0;
  for (std::size_t row = 0; row < out.batch.rows; ++row) {
    const float sign = out.batch.labels[row] == 1 ? 1.0F : -1.0F;
    const float margin = sign * out.z[row];
    float e = -std::fabs(margin);  // e^-|m|: never overflows
    numeric::exponential(1, &e);
    loss += static_cast<double>(std::log1p(e) + (margin < 0 ? -margin : 0.0F));
    out.z[row] = -sign * (margin < 0 ? 1.0F : e) / (1.0F + e);
  }
  return loss;
}

double cross_entropy_loss(const Outputs& out) {
  double loss = 0;
  for (std::size_t row = 0; row < out.batch.rows; ++row) {
    float* z = out.z + row * out.width;
    const float largest = std::ranges::max(std::span(z, out.width));
    for (std::size_t k = 0; k < out.width; ++k) z[k] -= largest;
    loss -= static_cast<double>(z[out.batch.labels[row]]);
  }
  numeric::exponential(out.batch.rows * out.width, out.z);
  for (std::size_t row = 0; row < out.batch.rows; ++row) {
    float* p = out.z + row * out.width;
    float total = 0;
    for (std::size_t k = 0; k < out.width; ++k) total += p[k];
    loss += static_cast<double>(std::log(total));
    const float share = 1 / total;
    for (std::size_t k = 0; k < out.width; ++k) p[k] *= share;
    p[out.batch.labels[row]] -= 1;
  }
  return loss;
}

double loss_and_error(Loss loss, const Outputs& out) {
  switch (loss) {
    case Loss::squared:
      return squared_loss(out);
    case Loss::logistic:
      return logistic_loss(out);
    case Loss::cross_entropy:
      break;
  }
  return cross_entropy_loss(out);
}

// The error a layer passes to the activations it read: e = delta W, where the ReLU was open.
void pass_back(const Layer& layer, ConstParams x, std::size_t rows, const float* delta,
               const float* activations, float* error) {
  numeric::combine_rows(rows, layer.outputs, layer.inputs, {delta, layer.outputs, 1},
                        x.data() + layer.weights, layer.inputs, 0, 1, error, layer.inputs);
  for (std::size_t k = 0; k < rows * layer.inputs; ++k) error[k] = activations[k] > 0 ? error[k] : 0;
}

// into <- keep * into + scale * (the layer's gradient given its outputs' errors, summed over the rows).
void add_layer_gradient(const Layer& layer, std::size_t rows, const float* delta, const float* activations,
                        float keep, float scale, Params into) {
  numeric::combine_rows(layer.outputs, rows, layer.inputs, {delta, 1, layer.outputs}, activations,
                        layer.inputs, keep, scale, into.data() + layer.weights, layer.inputs);
  constexpr float kOne = 1;
  numeric::combine_rows(1, rows, layer.outputs, {&kOne, 0, 0}, delta, layer.outputs, keep, scale,
                        into.data() + layer.biases, layer.outputs);
}

bool class_is_right(Loss loss, std::span<const float> z, std::uint32_t label) {
  if (loss == Loss::logistic) return (z[0] > 0) == (label == 1);
  return static_cast<std::size_t>(std::max_element(z.begin(), z.end()) - z.begin()) == label;
}

}  // namespace

Result<Network> Network::make(std::span<const std::uint32_t> widths, Loss loss) noexcept {
  if (widths.size() < 2) return Status::invalid_size;
  if (loss == Loss::logistic && widths.back() != 1) return Status::invalid_size;
  constexpr std::uint64_t kMost = std::numeric_limits<std::size_t>::max() / (4 * sizeof(float));
  std::uint64_t parameters = 0;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const std::uint64_t inputs = widths[l];
    const std::uint64_t outputs = widths[l + 1];
    if (inputs == 0 || outputs == 0 || (inputs + 1) * outputs > kMost - parameters)  // 64 bits hold it
      return Status::invalid_size;
    parameters += (inputs + 1) * outputs;
  }
  Network network;
  network.widths_ = widths;
  network.parameters_ = static_cast<std::size_t>(parameters);
  network.loss_ = loss;
  return network;
}

std::size_t Network::scratch_size(std::size_t rows) const noexcept {
  std::size_t activations = outputs();
  std::size_t widest = 0;
  for (std::size_t l = 1; l < layers(); ++l) {
    activations += widths_[l];
    widest = std::max<std::size_t>(widest, widths_[l]);
  }
  return rows * (activations + std::min<std::size_t>(layers() - 1, 2) * widest);
}

Status Network::check(ConstParams at, const Batch& batch, std::span<const float> scratch) const noexcept {
  if (at.size() != parameters() || batch.rows == 0 || batch.features.size() != batch.rows * inputs()) {
    return Status::shape_mismatch;
  }
  const bool by_label = batch.labels.size() == batch.rows;
  const bool by_target =
      loss_ == Loss::squared && batch.labels.empty() && batch.targets.size() == batch.rows * outputs();
  if (!by_label && !by_target) return Status::shape_mismatch;
  const std::size_t classes = loss_ == Loss::logistic ? 2 : outputs();
  for (const std::uint32_t label : batch.labels) {
    if (label >= classes) return Status::label_out_of_range;
  }
  return scratch.size() < scratch_size(batch.rows) ? Status::scratch_too_small : Status::ok;
}

void Network::initialise(Params x, Random random) const noexcept {
  POPSGD_ASSERT(x.size() == parameters());
  for (std::size_t l = 0; l < layers(); ++l) {
    const Layer layer = layer_at(widths_, l);
    const float bound = l + 1 < layers() ? std::sqrt(6.0F / static_cast<float>(layer.inputs)) : 0.0F;
    for (std::size_t k = layer.weights; k < layer.biases; ++k) x[k] = bound * (2 * random.uniform() - 1);
    std::fill(x.begin() + static_cast<std::ptrdiff_t>(layer.biases),
              x.begin() + static_cast<std::ptrdiff_t>(layer.end()), 0.0F);
  }
}

std::span<const float> Network::forward(ConstParams at, const Batch& batch, Scratch scratch) const noexcept {
  POPSGD_ASSERT(at.size() == parameters() && scratch.size() >= scratch_size(batch.rows));
  const float* activations = batch.features.data();
  float* z = scratch.data();
  std::size_t offset = 0;
  for (std::size_t l = 0;; ++l) {
    const Layer layer{widths_[l], widths_[l + 1], offset, offset + std::size_t{widths_[l]} * widths_[l + 1]};
    const std::size_t count = batch.rows * layer.outputs;
    affine(layer, at, batch.rows, activations, z);
    if (l + 1 == layers()) return {z, count};
    relu(count, z);
    activations = z;
    z += count;
    offset = layer.end();
  }
}

float Network::add_gradient(ConstParams at, const Batch& batch, float keep, float scale, Params into,
                            Scratch scratch) const noexcept {
  POPSGD_ASSERT(check(at, batch, scratch) == Status::ok && into.size() == parameters());
  const std::size_t rows = batch.rows;
  const std::span<const float> z = forward(at, batch, scratch);
  float* delta = scratch.data() + (z.data() - scratch.data());
  const double loss = loss_and_error(loss_, {batch, outputs(), delta});

  // Downwards: a layer first passes its error back through the old weights, then takes its gradient, which
  // is what allows `into` to be `at`. Two error buffers take turns behind the activations.
  const float share = scale / static_cast<float>(rows);
  const float* activations = delta;
  float* error = delta + z.size();
  float* spare = error + (layers() > 2 ? rows * std::ranges::max(widths_.subspan(1).first(layers() - 1)) : 0);
  for (std::size_t l = layers(); l-- > 0;) {
    const Layer layer = layer_at(widths_, l);
    activations = l == 0 ? batch.features.data() : activations - rows * layer.inputs;
    if (l > 0) pass_back(layer, at, rows, delta, activations, error);
    add_layer_gradient(layer, rows, delta, activations, keep, share, into);
    delta = error;
    std::swap(error, spare);
  }
  return static_cast<float>(loss / static_cast<double>(rows));
}

Network::Evaluation Network::evaluate(ConstParams at, const Batch& batch, Scratch scratch) const noexcept {
  POPSGD_ASSERT(check(at, batch, scratch) == Status::ok);
  const std::span<const float> z = forward(at, batch, scratch);
  Evaluation result;
  for (std::size_t row = 0; row < batch.labels.size(); ++row) {
    if (class_is_right(loss_, z.subspan(row * outputs()).first(outputs()), batch.labels[row]))
      ++result.correct;
  }
  result.loss = loss_and_error(loss_, {batch, outputs(), scratch.data() + (z.data() - scratch.data())});
  return result;
}

Gradient Network::gradient(std::size_t rows) const noexcept {
  const auto function = [](const void* context, ConstParams at, const Batch& batch, float keep, float scale,
                           Params into, Scratch scratch) noexcept {
    if (batch.rows == 0) return no_gradient(keep, into);
    return static_cast<const Network*>(context)->add_gradient(at, batch, keep, scale, into, scratch);
  };
  return {.function = function,
          .context = this,
          .parameters = parameters(),
          .scratch = scratch_size(rows),
          .in_place = true};
}

}  // namespace popsgd
