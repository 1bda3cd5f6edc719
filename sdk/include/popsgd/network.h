// Dense networks in float: linear, logistic and softmax regression, and the multi-layer perceptron.
#pragma once

#include <popsgd/gradient.h>
#include <popsgd/random.h>
#include <popsgd/status.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd {

/// What the last layer's values z are compared with, for one row:
enum class Loss : std::uint8_t {
  squared,        ///< 1/2 |z - target|^2; with labels the target is the unit vector of the class
  logistic,       ///< log(1 + exp(-s z)), one output, s = +1 for label 1 and -1 for label 0
  cross_entropy,  ///< -log softmax(z)[label]
};

/// Fully connected layers with ReLU between them and a loss on top. Four models are one formula:
///
///     linear regression     {inputs, outputs}          squared
///     logistic regression   {inputs, 1}                logistic
///     softmax regression    {inputs, classes}          cross_entropy
///     MLP                   {inputs, hidden..., out}   any
///
/// Parameters, layer after layer: weights (outputs x inputs, row-major), then biases (outputs).
/// The object holds no memory of its own: `widths` stays the caller's and must outlive it.
class Network {
 public:
  Network() = default;

  /// `widths`: inputs, hidden widths, outputs; at least two, all >= 1. Errors: invalid_size (also for a
  /// logistic loss with other than one output, or when the parameters are too many to address).
  static Result<Network> make(std::span<const std::uint32_t> widths, Loss loss) noexcept;

  [[nodiscard]] std::size_t inputs() const noexcept { return widths_.front(); }
  [[nodiscard]] std::size_t outputs() const noexcept { return widths_.back(); }
  [[nodiscard]] std::size_t layers() const noexcept { return widths_.size() - 1; }
  [[nodiscard]] std::size_t parameters() const noexcept { return parameters_; }
  [[nodiscard]] Loss loss() const noexcept { return loss_; }

  /// Floats of scratch for batches of up to `rows`: all layers' activations and two layers' errors.
  [[nodiscard]] std::size_t scratch_size(std::size_t rows) const noexcept;

  /// shape_mismatch, label_out_of_range, scratch_too_small or ok. The functions below assert what this checks;
  /// call it once on what comes from outside.
  [[nodiscard]] Status check(ConstParams at, const Batch& batch,
                             std::span<const float> scratch) const noexcept;

  /// Weights uniform in +-sqrt(6 / inputs of the layer) before a ReLU (He et al. 2015, arXiv 1502.01852),
  /// zero in the last layer so that every class starts equally likely; biases zero.
  void initialise(Params x, Random random) const noexcept;

  /// See Gradient: into <- keep * into + scale * grad; `into` may be `at`. Returns the mean loss.
  float add_gradient(ConstParams at, const Batch& batch, float keep, float scale, Params into,
                     Scratch scratch) const noexcept;

  /// Last layer's values z for every row, rows x outputs, in `scratch`.
  [[nodiscard]] std::span<const float> forward(ConstParams at, const Batch& batch,
                                               Scratch scratch) const noexcept;

  struct Evaluation {
    double loss = 0;          ///< sum over rows
    std::size_t correct = 0;  ///< rows whose most likely class is the label (0 without labels)
  };
  [[nodiscard]] Evaluation evaluate(ConstParams at, const Batch& batch, Scratch scratch) const noexcept;

  /// This network as a callback for batches of up to `rows`; refers to this object.
  [[nodiscard]] Gradient gradient(std::size_t rows) const noexcept;

 private:
  std::span<const std::uint32_t> widths_{};
  std::size_t parameters_ = 0;
  Loss loss_ = Loss::cross_entropy;
};

}  // namespace popsgd
