// Networks of integers, from C: what the three kinds have in common.
#pragma once

#include "c_api/pointers.h"
#include "c_api/random.h"

#include <popsgd/c/fixed_network.h>
#include <popsgd/fixed_network.h>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace popsgd::c_api {

static_assert(offsetof(LayerFormat, biases) == offsetof(popsgd_layer_format, biases) &&
              offsetof(LayerFormat, activations) == offsetof(popsgd_layer_format, activations));

/// Description: popsgd_fixed_network. Weight and Activation as of FixedNetwork.
template <typename Weight, typename Activation>
struct Fixed {
  using Network = FixedNetwork<Weight, Activation>;
  static_assert(POPSGD_FIXED_ROWS == Network::kMaxRows);

  static Result<Network> network_of(const popsgd_fixed_network* network) {
    if (network == nullptr || network->widths == nullptr || network->formats == nullptr)
      return Status::null_pointer;
    if (network->loss > POPSGD_CROSS_ENTROPY || network->width_count < 2) return Status::invalid_size;
    return Network::make({network->widths, network->width_count}, static_cast<Loss>(network->loss),
                         as<LayerFormat>(network->formats, network->width_count - 1));
  }

  static Result<FixedBatch> batch_of(const Network& network, const popsgd_fixed_batch* batch) {
    if (batch == nullptr || batch->features == nullptr) return Status::null_pointer;
    if (batch->rows == 0 || batch->rows > Network::kMaxRows) return Status::shape_mismatch;
    return FixedBatch{.rows = batch->rows,
                      .features = span_of(batch->features, batch->rows * network.inputs()),
                      .fraction = batch->fraction,
                      .labels = span_of(batch->labels, batch->rows),
                      .targets = span_of(batch->targets, batch->rows * network.outputs()),
                      .target_fraction = batch->target_fraction};
  }

  static Status choose_formats(const std::uint32_t* widths, std::size_t count, popsgd_layer_format* formats) {
    if (widths == nullptr || formats == nullptr) return Status::null_pointer;
    const auto plain = popsgd::Network::make({widths, count}, Loss::squared);
    if (!plain.ok()) return plain.status();
    Network::choose_formats({widths, count}, {reinterpret_cast<LayerFormat*>(formats), count - 1});
    return Status::ok;
  }

  static std::size_t scratch(const popsgd_fixed_network* network, std::size_t rows) {
    const auto made = network_of(network);
    return made.ok() && rows <= Network::kMaxRows ? made->scratch_size(rows) : 0;
  }

  static Status check(const popsgd_fixed_network* network, const popsgd_fixed_batch* batch) {
    const auto made = network_of(network);
    if (!made.ok()) return made.status();
    const auto samples = batch_of(made.value(), batch);
    if (!samples.ok()) return samples.status();
    // Neither is read here.
    const auto* any = reinterpret_cast<const Weight*>(batch->features);
    const auto* words = reinterpret_cast<const std::int32_t*>(batch->features);
    return made->check({any, made->parameters()}, samples.value(),
                       {words, made->scratch_size(samples->rows)});
  }

  static Status initialise(const popsgd_fixed_network* network, Weight* model, std::uint64_t seed) {
    const auto made = network_of(network);
    if (!made.ok()) return made.status();
    if (model == nullptr) return Status::null_pointer;
    made->initialise({model, made->parameters()}, Random(seed, Purpose::initial_model));
    return Status::ok;
  }

  static Status forward(const popsgd_fixed_network* network, const Weight* model,
                        const popsgd_fixed_batch* batch, std::int32_t* scratch, std::size_t scratch_count,
                        const std::int32_t** values) {
    const auto made = network_of(network);
    if (!made.ok()) return made.status();
    if (model == nullptr || scratch == nullptr || values == nullptr) return Status::null_pointer;
    const auto samples = batch_of(made.value(), batch);
    if (!samples.ok()) return samples.status();
    if (samples->fraction < 0 || samples->fraction > Network::kMaxFraction) return Status::unknown_format;
    if (scratch_count < made->scratch_size(samples->rows)) return Status::scratch_too_small;
    std::uint64_t saturated = 0;
    *values = made->forward({model, made->parameters()}, samples.value(), {scratch, scratch_count}, saturated)
                  .data();
    return Status::ok;
  }

  static Status evaluate(const popsgd_fixed_network* network, const Weight* model,
                         const popsgd_fixed_batch* batch, std::int32_t* scratch, std::size_t scratch_count,
                         popsgd_fixed_evaluation* result) {
    const auto made = network_of(network);
    if (!made.ok()) return made.status();
    if (model == nullptr || scratch == nullptr || result == nullptr) return Status::null_pointer;
    const auto samples = batch_of(made.value(), batch);
    if (!samples.ok()) return samples.status();
    const std::span<const Weight> x{model, made->parameters()};
    const std::span<std::int32_t> memory{scratch, scratch_count};
    if (const Status status = made->check(x, samples.value(), memory); status != Status::ok) return status;
    const auto evaluated = made->evaluate(x, samples.value(), memory);
    *result = {evaluated.loss, evaluated.correct, evaluated.saturated};
    return Status::ok;
  }

  static std::int32_t step(const void* context, Weight* x, const popsgd_fixed_batch* batch,
                           popsgd_fixed_rate rate, popsgd_random* noise, std::int32_t* scratch,
                           std::size_t scratch_count, std::uint64_t* saturated) {
    constexpr std::int32_t kNothing = std::numeric_limits<std::int32_t>::max();
    const auto made = network_of(static_cast<const popsgd_fixed_network*>(context));
    if (!made.ok()) return kNothing;
    const std::span<Weight> model{x, made->parameters()};
    const std::span<std::int32_t> memory{scratch, scratch_count};
    const auto samples = batch_of(made.value(), batch);
    if (!samples.ok() || made->check(model, samples.value(), memory) != Status::ok) return kNothing;
    return made->step(model, samples.value(), {rate.mantissa, rate.shift}, random_in(*noise), memory,
                      *saturated);
  }

  /// Gradient: popsgd_int16_gradient or popsgd_int8_gradient.
  template <typename Gradient>
  static Gradient gradient(const popsgd_fixed_network* network, std::size_t rows) {
    const auto made = network_of(network);
    if (!made.ok() || rows > Network::kMaxRows) return {};
    return {step, network, made->parameters(), made->scratch_size(rows)};
  }
};

}  // namespace popsgd::c_api
