#include "fixed/arithmetic.h"
#include "fixed/kernels.h"
#include "fixed/loss.h"
#include "fixed/narrow.h"
#include "fixed/rate.h"
#include "models/layer.h"

#include <popsgd/assert.h>
#include <popsgd/fixed_network.h>
#include <popsgd/parts.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <memory>

namespace popsgd {
namespace {

using Widths = std::span<const std::uint32_t>;

// Otherwise all have one layer, and batches one row: known to the compiler.
constexpr bool kAny = has(Part::networks);
constexpr std::size_t rows_of(std::size_t rows) {
  return kAny ? rows : 1;
}

template <typename Weight>
fixed::LayerOf<Weight> of(const Layer& layer, const Weight* x) {
  return {layer.inputs, layer.outputs, x + layer.weights, x + layer.biases};
}

// Hidden values a row has, and outputs of the widest layer.
std::size_t hidden(Widths widths) {
  if constexpr (!kAny) return 0;
  std::size_t count = 0;
  for (std::size_t l = 1; l + 1 < widths.size(); ++l) count += widths[l];
  return count;
}
std::size_t widest(Widths widths) {
  if constexpr (!kAny) return widths[1];
  return std::ranges::max(widths.subspan(1));
}

// `count` objects of T in `bytes` bytes take so many words.
template <typename T>
constexpr std::size_t words(std::size_t count) {
  return (count * sizeof(T) + sizeof(std::int32_t) - 1) / sizeof(std::int32_t);
}

// How the scratch memory is used; errors and steps are of the layer at hand.
template <typename Activation>
struct Workspace {
  std::int32_t* errors;     // rows x widest; the layer's values before
  std::int16_t* narrow;     // rows x widest: errors to pass back
  std::int16_t* steps;      // widest x rows: errors times the step size
  Activation* activations;  // rows x outputs of all hidden layers, one layer after the other

  Workspace(Widths widths, std::size_t rows, std::span<std::int32_t> scratch) : errors(scratch.data()) {
    const std::size_t values = rows * widest(widths);
    narrow = begin<std::int16_t>(errors + values, values);
    steps = begin<std::int16_t>(errors + values + words<std::int16_t>(values), values);
    activations = begin<Activation>(errors + values + 2 * words<std::int16_t>(values), rows * hidden(widths));
  }

  static std::size_t size(Widths widths, std::size_t rows) {
    const std::size_t values = rows * widest(widths);
    return values + 2 * words<std::int16_t>(values) + words<Activation>(rows * hidden(widths));
  }

 private:
  // Begins the life of numbers of another type in the words from `memory` on.
  template <typename T>
  static T* begin(std::int32_t* memory, std::size_t count) {
    T* first = reinterpret_cast<T*>(memory);
    std::uninitialized_default_construct_n(first, count);
    return first;
  }
};

// a = relu(z), narrowed.
template <typename Activation>
void activate(std::size_t count, const std::int32_t* z, Activation* a, std::uint64_t& saturated) {
  std::uint32_t cut = 0;
  for (std::size_t k = 0; k < count; ++k) {
    cut += z[k] > fixed::kMost<Activation> ? 1U : 0U;
    a[k] = static_cast<Activation>(std::clamp<std::int32_t>(z[k], 0, fixed::kMost<Activation>));
  }
  saturated += cut;
}

// The step size over the number of rows, with 31 bits of mantissa: products with 32-bit errors have 62.
struct Share {
  std::uint32_t mantissa;
  int shift;
};
Share share_of(FixedRate rate, std::size_t rows) {
  if constexpr (!kAny) return {rate.mantissa >> 1, rate.shift - 1};
  const FixedRate share =
      fixed::rate_of(fixed::quotient(std::uint64_t{rate.mantissa} << 32, rows), rate.shift + 32);
  return {share.mantissa >> 1, share.shift - 1};
}

// A layer's step: errors times the step size, and how many places from sums of them down to a unit.
struct Plan {
  int weights;
  int biases;
};

// Fills `steps` for a layer whose outputs have errors in units of 2^-fraction and which has read a.
template <typename Activation>
Plan plan_step(const Layer& layer, LayerFormat format, std::size_t rows, const std::int32_t* errors,
               int fraction, const Activation* a, int fraction_a, Share share, std::int16_t* steps) {
  // Sums stay below 2^30, with the dither below 2^31.
  constexpr std::uint32_t kRoom = (std::uint32_t{1} << 30) - 1;
  constexpr int kMostShift = 30;
  const std::uint32_t most_a = std::max<std::uint32_t>(fixed::largest(rows * layer.inputs, a), 1U);
  const int whole = fraction + share.shift + fraction_a - format.weights;
  const int dropped = fixed::narrow_steps(rows, layer.outputs, errors, share.mantissa, whole - kMostShift,
                                          kRoom / most_a, steps);
  // With no place left the largest change is 2^29 units, and ends where the weights end in any case.
  return {std::max(whole - dropped, 1), fraction + share.shift - dropped - format.biases};
}

// errors <- errors W where the ReLU was open; returns what their fraction grows by.
template <typename Weight, typename Activation>
int pass_back(const Layer& layer, LayerFormat format, std::size_t rows, const Activation* a, const Weight* x,
              std::int16_t* narrow, std::int32_t* errors) {
  constexpr std::uint32_t kRoom = std::numeric_limits<std::int32_t>::max();
  const std::uint32_t most_w =
      std::max<std::uint32_t>(fixed::largest(layer.inputs * layer.outputs, x + layer.weights), 1U);
  const int dropped = fixed::narrow_errors(rows, layer.outputs, errors, kRoom / most_w, narrow);
  fixed::pass_back(rows, of(layer, x), narrow, errors);
  for (std::size_t k = 0; k < rows * layer.inputs; ++k) errors[k] = a[k] > 0 ? errors[k] : 0;
  return format.weights - dropped;
}

// All layers' activations, and the last one's values in memory.errors.
template <typename Weight, typename Activation>
void run_forward(Widths widths, std::span<const LayerFormat> formats, const Weight* x,
                 const FixedBatch& batch, const Workspace<Activation>& memory, std::uint64_t& saturated) {
  constexpr int kOutputFraction = FixedNetwork<Weight, Activation>::kOutputFraction;
  Activation* a = memory.activations;
  for (std::size_t l = 0;; ++l) {
    const Layer layer = layer_at(widths, l);
    const bool first = !kAny || l == 0;
    const bool last = !kAny || l + 1 == formats.size();
    const int products = formats[l].weights + (first ? batch.fraction : formats[l - 1].activations);
    const int bias_shift = products - formats[l].biases;
    const int shift = products - (last ? kOutputFraction : formats[l].activations);
    const auto affine = [&](const auto* read) {
      fixed::affine(rows_of(batch.rows), of(layer, x), read, bias_shift, shift, memory.errors, saturated);
    };
    first ? affine(batch.features.data()) : affine(a - batch.rows * layer.inputs);
    if (last) return;
    activate(batch.rows * layer.outputs, memory.errors, a, saturated);
    a += batch.rows * layer.outputs;
  }
}

// The way down: each layer first passes its errors back through the old weights, then takes its step.
template <typename Weight, typename Activation>
struct Descent {
  std::size_t rows;
  const Workspace<Activation>& memory;
  int fraction;  // of the errors
  Share share;
  fixed::Dither dither;
  Weight* x;
  std::uint64_t& saturated;

  template <typename Read>
  void step(const Layer& layer, LayerFormat format, const Read* a, int fraction_a) {
    const Plan plan =
        plan_step(layer, format, rows, memory.errors, fraction, a, fraction_a, share, memory.steps);
    if (kAny && layer.weights > 0)
      fraction += pass_back(layer, format, rows, a, x, memory.narrow, memory.errors);
    fixed::update_weights(rows, layer.inputs, layer.outputs, memory.steps, a, plan.weights,
                          {dither.at(layer.weights)}, x + layer.weights, saturated);
    fixed::update_biases(rows, layer.outputs, memory.steps, plan.biases, {dither.at(layer.biases)},
                         x + layer.biases, saturated);
  }
};

bool class_is_right(Loss loss, std::span<const std::int32_t> z, std::uint32_t label) {
  if (loss == Loss::logistic) return (z[0] > 0) == (label == 1);
  return static_cast<std::size_t>(std::max_element(z.begin(), z.end()) - z.begin()) == label;
}

// sqrt(6 / inputs) in units of 2^-30.
std::int64_t he_bound(std::size_t inputs) {
  return fixed::square_root((std::uint64_t{6} << 60) / inputs);
}

}  // namespace

template <typename Weight, typename Activation>
void FixedNetwork<Weight, Activation>::choose_formats(Widths widths,
                                                      std::span<LayerFormat> formats) noexcept {
  POPSGD_ASSERT(formats.size() + 1 == widths.size());
  for (std::size_t l = 0; l < formats.size(); ++l) {
    if (sizeof(Weight) == 2) {
      formats[l] = {.weights = 12, .biases = 12};  // +-8
    } else {
      // Three times the bound of He et al., as weights grow: less than 2^33, so that 4 places are left at least.
      const auto range = static_cast<std::uint64_t>(3 * he_bound(widths[l]));
      const int fraction = 37 - static_cast<int>(std::bit_width(range));
      formats[l] = {.weights = static_cast<std::int8_t>(fraction), .biases = 7};
    }
    formats[l].activations = sizeof(Activation) == 2 ? 9 : 4;
  }
}

template <typename Weight, typename Activation>
Result<FixedNetwork<Weight, Activation>> FixedNetwork<Weight, Activation>::make(
    Widths widths, Loss loss, std::span<const LayerFormat> formats) noexcept {
  if (!kAny && (widths.size() != 2 || loss != Loss::cross_entropy)) return Status::unknown_format;
  const auto network = Network::make(widths, loss);
  if (!network.ok()) return network.status();
  constexpr std::uint32_t kMostInputs = std::numeric_limits<std::int32_t>::max();
  if (widths[0] > kMostInputs || widest(widths) > kMaxOutputs) return Status::invalid_size;
  if (formats.size() != network->layers()) return Status::shape_mismatch;
  const auto valid = [](int fraction) { return fraction >= 0 && fraction <= kMaxFraction; };
  for (const LayerFormat& format : formats) {
    if (!valid(format.weights) || !valid(format.biases) || !valid(format.activations)) {
      return Status::unknown_format;
    }
  }
  FixedNetwork fixed;
  fixed.widths_ = widths;
  fixed.formats_ = formats;
  fixed.parameters_ = network->parameters();
  fixed.loss_ = loss;
  return fixed;
}

template <typename Weight, typename Activation>
void FixedNetwork<Weight, Activation>::layout(std::span<Tensor> tensors) const noexcept {
  POPSGD_ASSERT(tensors.size() >= this->tensors());
  for (std::size_t l = 0; l < layers(); ++l) {
    tensors[2 * l] = {widths_[l] * widths_[l + 1], formats_[l].weights};
    tensors[2 * l + 1] = {widths_[l + 1], formats_[l].biases};
  }
}

template <typename Weight, typename Activation>
std::size_t FixedNetwork<Weight, Activation>::scratch_size(std::size_t rows) const noexcept {
  return Workspace<Activation>::size(widths_, rows);
}

template <typename Weight, typename Activation>
Status FixedNetwork<Weight, Activation>::check(std::span<const Weight> at, const FixedBatch& batch,
                                               std::span<const std::int32_t> scratch) const noexcept {
  if (at.size() != parameters() || batch.rows == 0 || batch.rows > rows_of(kMaxRows) ||
      batch.features.size() != batch.rows * inputs()) {
    return Status::shape_mismatch;
  }
  const bool by_label = batch.labels.size() == batch.rows;
  const bool by_target =
      loss_ == Loss::squared && batch.labels.empty() && batch.targets.size() == batch.rows * outputs();
  if (!by_label && !by_target) return Status::shape_mismatch;
  const auto valid = [](int fraction) { return fraction >= 0 && fraction <= kMaxFraction; };
  if (!valid(batch.fraction) || !valid(batch.target_fraction)) return Status::unknown_format;
  const std::size_t classes = loss_ == Loss::logistic ? 2 : outputs();
  for (const std::uint32_t label : batch.labels) {
    if (label >= classes) return Status::label_out_of_range;
  }
  return scratch.size() < scratch_size(batch.rows) ? Status::scratch_too_small : Status::ok;
}

template <typename Weight, typename Activation>
void FixedNetwork<Weight, Activation>::initialise(std::span<Weight> x, Random random) const noexcept {
  POPSGD_ASSERT(x.size() == parameters());
  std::uint64_t saturated = 0;
  for (std::size_t l = 0; l < layers(); ++l) {
    const Layer layer = layer_at(widths_, l);
    const std::int64_t bound = l + 1 < layers() ? he_bound(layer.inputs) : 0;
    for (std::size_t k = layer.weights; k < layer.biases; ++k) {
      // Uniform in +-1, in units of 2^-24; the product with the bound has 54 binary places.
      const std::int64_t uniform = 2 * std::int64_t{random.bits() >> 8} - (std::int64_t{1} << 24);
      x[k] = fixed::rescale<Weight>(uniform * bound, 54 - formats_[l].weights, saturated);
    }
    std::fill(x.begin() + static_cast<std::ptrdiff_t>(layer.biases),
              x.begin() + static_cast<std::ptrdiff_t>(layer.end()), Weight{0});
  }
}

template <typename Weight, typename Activation>
std::span<const std::int32_t> FixedNetwork<Weight, Activation>::forward(
    std::span<const Weight> at, const FixedBatch& batch, std::span<std::int32_t> scratch,
    std::uint64_t& saturated) const noexcept {
  POPSGD_ASSERT(at.size() == parameters() && scratch.size() >= scratch_size(batch.rows));
  const Workspace<Activation> memory(widths_, batch.rows, scratch);
  run_forward(widths_, formats_, at.data(), batch, memory, saturated);
  return {memory.errors, batch.rows * outputs()};
}

template <typename Weight, typename Activation>
std::int32_t FixedNetwork<Weight, Activation>::step(std::span<Weight> x, const FixedBatch& batch,
                                                    FixedRate rate, Random& noise,
                                                    std::span<std::int32_t> scratch,
                                                    std::uint64_t& saturated) const noexcept {
  POPSGD_ASSERT(check(x, batch, scratch) == Status::ok);
  const std::size_t rows = rows_of(batch.rows);
  const Workspace<Activation> memory(widths_, rows, scratch);
  run_forward(widths_, formats_, x.data(), batch, memory, saturated);
  const auto [loss, fraction] = fixed::loss_and_error(loss_, {batch, outputs(), memory.errors}, saturated);

  Descent<Weight, Activation> descent{rows,           memory,   fraction, share_of(rate, rows),
                                      {noise.bits()}, x.data(), saturated};
  const Activation* a = memory.activations + rows * hidden(widths_);
  for (std::size_t l = layers(); l-- > 1;) {
    a -= rows * widths_[l];
    descent.step(layer_at(widths_, l), formats_[l], a, formats_[l - 1].activations);
  }
  descent.step(layer_at(widths_, 0), formats_[0], batch.features.data(), batch.fraction);
  const std::uint64_t mean =
      kAny ? static_cast<std::uint64_t>(loss) / rows : static_cast<std::uint64_t>(loss);
  return fixed::saturate<std::int32_t>(static_cast<std::int64_t>(mean), saturated);
}

template <typename Weight, typename Activation>
typename FixedNetwork<Weight, Activation>::Evaluation FixedNetwork<Weight, Activation>::evaluate(
    std::span<const Weight> at, const FixedBatch& batch, std::span<std::int32_t> scratch) const noexcept {
  POPSGD_ASSERT(check(at, batch, scratch) == Status::ok);
  Evaluation result;
  const std::span<const std::int32_t> z = forward(at, batch, scratch, result.saturated);
  for (std::size_t row = 0; row < batch.labels.size(); ++row) {
    if (class_is_right(loss_, z.subspan(row * outputs()).first(outputs()), batch.labels[row]))
      ++result.correct;
  }
  result.loss = fixed::loss_and_error(loss_, {batch, outputs(), scratch.data()}, result.saturated).loss;
  return result;
}

template <typename Weight, typename Activation>
FixedGradient<Weight> FixedNetwork<Weight, Activation>::gradient(std::size_t rows) const noexcept {
  const auto function = [](const void* context, std::span<Weight> x, const FixedBatch& batch, FixedRate rate,
                           Random& noise, std::span<std::int32_t> scratch,
                           std::uint64_t& saturated) noexcept {
    if (batch.rows == 0) return std::numeric_limits<std::int32_t>::max();  // nothing to learn from
    return static_cast<const FixedNetwork*>(context)->step(x, batch, rate, noise, scratch, saturated);
  };
  return {.function = function, .context = this, .parameters = parameters(), .scratch = scratch_size(rows)};
}

template class FixedNetwork<std::int16_t, std::int16_t>;
template class FixedNetwork<std::int8_t, std::int16_t>;
template class FixedNetwork<std::int8_t, std::int8_t>;

}  // namespace popsgd
