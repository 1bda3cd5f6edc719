#include "c_api/pointers.h"
#include "models/no_gradient.h"

#include <popsgd/c/network.h>
#include <popsgd/network.h>

#include <cstdint>
#include <limits>

namespace popsgd::c_api {
namespace {

static_assert(POPSGD_SQUARED == static_cast<int>(Loss::squared));
static_assert(POPSGD_LOGISTIC == static_cast<int>(Loss::logistic));
static_assert(POPSGD_CROSS_ENTROPY == static_cast<int>(Loss::cross_entropy));

Result<Network> network_of(const popsgd_network* network) {
  if (network == nullptr || network->widths == nullptr) return Status::null_pointer;
  if (network->loss > POPSGD_CROSS_ENTROPY) return Status::invalid_size;
  return Network::make({network->widths, network->width_count}, static_cast<Loss>(network->loss));
}

// Whether nothing that so many rows take is too long to address.
bool addressable(const Network& network, std::size_t rows) {
  const std::size_t row = network.inputs() + network.outputs() + network.scratch_size(1);
  return rows <= std::numeric_limits<std::size_t>::max() / sizeof(float) / row;
}

// What all calls with a batch begin with; the batch as C++ has it.
Result<Batch> batch_of(const Network& network, const popsgd_batch* batch) {
  if (batch == nullptr || batch->features == nullptr) return Status::null_pointer;
  if (batch->rows == 0 || !addressable(network, batch->rows)) return Status::shape_mismatch;
  return Batch{.rows = batch->rows,
               .features = span_of(batch->features, batch->rows * network.inputs()),
               .labels = span_of(batch->labels, batch->rows),
               .targets = span_of(batch->targets, batch->rows * network.outputs())};
}

float add_gradient(const void* context, const float* at, const popsgd_batch* samples, float keep, float scale,
                   float* into, float* scratch, std::size_t scratch_count) {
  const auto network = network_of(static_cast<const popsgd_network*>(context));
  if (!network.ok()) return std::numeric_limits<float>::quiet_NaN();
  const ConstParams x{at, network->parameters()};
  const Scratch memory{scratch, scratch_count};
  const auto batch = batch_of(network.value(), samples);
  if (!batch.ok() || network->check(x, batch.value(), memory) != Status::ok)
    return no_gradient(keep, {into, x.size()});
  return network->add_gradient(x, batch.value(), keep, scale, {into, x.size()}, memory);
}

}  // namespace
}  // namespace popsgd::c_api

using popsgd::Status;
using popsgd::c_api::batch_of;
using popsgd::c_api::code;
using popsgd::c_api::network_of;

size_t popsgd_network_parameters(const popsgd_network* network) {
  const auto made = network_of(network);
  return made.ok() ? made->parameters() : 0;
}

size_t popsgd_network_scratch(const popsgd_network* network, size_t rows) {
  const auto made = network_of(network);
  if (!made.ok() || !popsgd::c_api::addressable(made.value(), rows)) return 0;
  return made->scratch_size(rows);
}

popsgd_status popsgd_network_check(const popsgd_network* network, const popsgd_batch* batch) {
  const auto made = network_of(network);
  if (!made.ok()) return code(made.status());
  const auto samples = batch_of(made.value(), batch);
  if (!samples.ok()) return code(samples.status());
  // Neither is read here.
  const float* const any = batch->features;
  return code(
      made->check({any, made->parameters()}, samples.value(), {any, made->scratch_size(samples->rows)}));
}

popsgd_status popsgd_network_initialise(const popsgd_network* network, float* model, uint64_t seed) {
  const auto made = network_of(network);
  if (!made.ok()) return code(made.status());
  if (model == nullptr) return code(Status::null_pointer);
  made->initialise({model, made->parameters()}, popsgd::Random(seed, popsgd::Purpose::initial_model));
  return POPSGD_OK;
}

popsgd_status popsgd_network_forward(const popsgd_network* network, const float* model,
                                     const popsgd_batch* batch, float* scratch, size_t scratch_count,
                                     const float** values) {
  const auto made = network_of(network);
  if (!made.ok()) return code(made.status());
  if (model == nullptr || scratch == nullptr || values == nullptr) return code(Status::null_pointer);
  const auto samples = batch_of(made.value(), batch);
  if (!samples.ok()) return code(samples.status());
  if (scratch_count < made->scratch_size(samples->rows)) return code(Status::scratch_too_small);
  *values = made->forward({model, made->parameters()}, samples.value(), {scratch, scratch_count}).data();
  return POPSGD_OK;
}

popsgd_status popsgd_network_evaluate(const popsgd_network* network, const float* model,
                                      const popsgd_batch* batch, float* scratch, size_t scratch_count,
                                      popsgd_evaluation* result) {
  const auto made = network_of(network);
  if (!made.ok()) return code(made.status());
  if (model == nullptr || scratch == nullptr || result == nullptr) return code(Status::null_pointer);
  const auto samples = batch_of(made.value(), batch);
  if (!samples.ok()) return code(samples.status());
  const popsgd::ConstParams x{model, made->parameters()};
  const popsgd::Scratch memory{scratch, scratch_count};
  const Status status = made->check(x, samples.value(), memory);
  if (status != Status::ok) return code(status);
  const auto evaluated = made->evaluate(x, samples.value(), memory);
  *result = {evaluated.loss, evaluated.correct};
  return POPSGD_OK;
}

popsgd_gradient popsgd_network_gradient(const popsgd_network* network, size_t rows) {
  const auto made = network_of(network);
  if (!made.ok() || !popsgd::c_api::addressable(made.value(), rows)) return {};
  return {popsgd::c_api::add_gradient, network, made->parameters(), made->scratch_size(rows), true};
}
