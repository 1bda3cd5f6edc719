// Dense networks in fixed point: the models of network.h, trained by integers alone.
#pragma once

#include <popsgd/fixed.h>
#include <popsgd/network.h>
#include <popsgd/parts.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd {

/// The scales of one layer as numbers of binary places, 0 to 20: a value is integer * 2^-fraction.
struct LayerFormat {
  std::int8_t weights = 0;
  std::int8_t biases = 0;
  std::int8_t activations = 0;  ///< of what the layer puts out; the last layer's is not used
};

/// Network in fixed point: the same layers, losses and order of parameters, as integers of type Weight. Values
/// between the layers are integers of type Activation; features are 16 bits.
///
///     forward     z = W a + b in 32 or 64 bits, exact; then to nearest, saturating
///     last layer  z, exp and log in 32 bits (exp by table, relative error 4e-6)
///     backward    errors are 16 bits with a power of two that is chosen for each layer and step, so that
///                 the largest use them all: errors that get small late in training lose nothing
///     update      w <- w - eta/rows * sum of error * activation, exact in 32 bits, then rounded stochastically
///                 by a Weyl sequence from one random number a step, saturating
///
/// Exists for (Weight, Activation) = (int16, int16), (int8, int16) and (int8, int8). The object holds no
/// memory of its own: `widths` and `formats` stay the caller's and must outlive it.
template <typename Weight, typename Activation>
class FixedNetwork {
 public:
  static constexpr int kMaxFraction = 20;
  static constexpr std::size_t kMaxRows = 8192;      ///< in a batch: sums over rows are 32 bits wide
  static constexpr std::size_t kMaxOutputs = 16384;  ///< of a layer: sums over its outputs, too
  static constexpr int kOutputFraction = 16;         ///< of the last layer's values

  FixedNetwork() = default;

  /// Formats that suit features of about unit variance, one for each layer of `widths` (both as for make()).
  static void choose_formats(std::span<const std::uint32_t> widths, std::span<LayerFormat> formats) noexcept;

  /// `widths` as for Network::make; `formats`: one a layer. Errors: invalid_size (also for more than kMaxOutputs),
  /// shape_mismatch (the number of formats), unknown_format (a fraction outside 0 to kMaxFraction; or what this build has
  /// left out: see Part::networks).
  static Result<FixedNetwork> make(std::span<const std::uint32_t> widths, Loss loss,
                                   std::span<const LayerFormat> formats) noexcept;

  [[nodiscard]] std::size_t inputs() const noexcept { return widths_.front(); }
  [[nodiscard]] std::size_t outputs() const noexcept { return widths_.back(); }
  [[nodiscard]] std::size_t layers() const noexcept { return has(Part::networks) ? widths_.size() - 1 : 1; }
  [[nodiscard]] std::size_t parameters() const noexcept { return parameters_; }
  [[nodiscard]] Loss loss() const noexcept { return loss_; }

  /// How many tensors the parameters are made of: two a layer.
  [[nodiscard]] std::size_t tensors() const noexcept { return 2 * layers(); }

  /// Each layer's weights, then its biases; `tensors` has room for tensors().
  void layout(std::span<Tensor> tensors) const noexcept;

  /// 32-bit words of scratch for batches of up to `rows`: the hidden activations, and one layer's errors twice.
  [[nodiscard]] std::size_t scratch_size(std::size_t rows) const noexcept;

  /// shape_mismatch (also for more than kMaxRows), unknown_format (the batch's fractions), label_out_of_range,
  /// scratch_too_small or ok. The functions below assert what this checks; call it once on what comes from outside.
  [[nodiscard]] Status check(std::span<const Weight> at, const FixedBatch& batch,
                             std::span<const std::int32_t> scratch) const noexcept;

  /// What Network::initialise makes of the same `random`, to nearest.
  void initialise(std::span<Weight> x, Random random) const noexcept;

  /// See FixedGradient: one step of SGD in place, with 1 kB of stack, or a quarter on a small device. Returns the mean loss before it in Q15.16. Of a
  /// step in which a weight would move by more than 2^29 units, all of a layer's moves are shortened to that.
  std::int32_t step(std::span<Weight> x, const FixedBatch& batch, FixedRate rate, Random& noise,
                    std::span<std::int32_t> scratch, std::uint64_t& saturated) const noexcept;

  /// Last layer's values z for every row, rows x outputs, in units of 2^-kOutputFraction, in `scratch`.
  [[nodiscard]] std::span<const std::int32_t> forward(std::span<const Weight> at, const FixedBatch& batch,
                                                      std::span<std::int32_t> scratch,
                                                      std::uint64_t& saturated) const noexcept;

  struct Evaluation {
    std::int64_t loss = 0;    ///< sum over rows, in units of 2^-16
    std::size_t correct = 0;  ///< rows whose most likely class is the label (0 without labels)
    std::uint64_t saturated = 0;
  };
  [[nodiscard]] Evaluation evaluate(std::span<const Weight> at, const FixedBatch& batch,
                                    std::span<std::int32_t> scratch) const noexcept;

  /// This network as a callback for batches of up to `rows`; refers to this object.
  [[nodiscard]] FixedGradient<Weight> gradient(std::size_t rows) const noexcept;

 private:
  std::span<const std::uint32_t> widths_{};
  std::span<const LayerFormat> formats_{};
  std::size_t parameters_ = 0;
  Loss loss_ = Loss::cross_entropy;
};

extern template class FixedNetwork<std::int16_t, std::int16_t>;
extern template class FixedNetwork<std::int8_t, std::int16_t>;
extern template class FixedNetwork<std::int8_t, std::int8_t>;

}  // namespace popsgd
