#include "c_api/fixed_network.h"

using Kind = popsgd::c_api::Fixed<std::int16_t, std::int16_t>;
using popsgd::c_api::code;

popsgd_status popsgd_int16_network_choose_formats(const uint32_t* widths, size_t width_count,
                                                  popsgd_layer_format* formats) {
  return code(Kind::choose_formats(widths, width_count, formats));
}

size_t popsgd_int16_network_scratch(const popsgd_fixed_network* network, size_t rows) {
  return Kind::scratch(network, rows);
}

popsgd_status popsgd_int16_network_check(const popsgd_fixed_network* network,
                                         const popsgd_fixed_batch* batch) {
  return code(Kind::check(network, batch));
}

popsgd_status popsgd_int16_network_initialise(const popsgd_fixed_network* network, int16_t* model,
                                              uint64_t seed) {
  return code(Kind::initialise(network, model, seed));
}

popsgd_status popsgd_int16_network_forward(const popsgd_fixed_network* network, const int16_t* model,
                                           const popsgd_fixed_batch* batch, int32_t* scratch,
                                           size_t scratch_count, const int32_t** values) {
  return code(Kind::forward(network, model, batch, scratch, scratch_count, values));
}

popsgd_status popsgd_int16_network_evaluate(const popsgd_fixed_network* network, const int16_t* model,
                                            const popsgd_fixed_batch* batch, int32_t* scratch,
                                            size_t scratch_count, popsgd_fixed_evaluation* result) {
  return code(Kind::evaluate(network, model, batch, scratch, scratch_count, result));
}

popsgd_int16_gradient popsgd_int16_network_gradient(const popsgd_fixed_network* network, size_t rows) {
  return Kind::gradient<popsgd_int16_gradient>(network, rows);
}
