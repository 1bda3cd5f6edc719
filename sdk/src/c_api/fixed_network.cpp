#include "c_api/fixed_network.h"

#include "c_api/fixed.h"

// Neither depends on the kind.
using Kind = popsgd::c_api::Fixed<std::int16_t, std::int16_t>;
using popsgd::Status;
using popsgd::c_api::code;

size_t popsgd_fixed_network_parameters(const popsgd_fixed_network* network) {
  const auto made = Kind::network_of(network);
  return made.ok() ? made->parameters() : 0;
}

popsgd_status popsgd_fixed_network_layout(const popsgd_fixed_network* network, popsgd_tensor* layout,
                                          size_t tensors) {
  const auto made = Kind::network_of(network);
  if (!made.ok()) return code(made.status());
  if (layout == nullptr) return code(Status::null_pointer);
  if (tensors != made->tensors()) return code(Status::shape_mismatch);
  made->layout({reinterpret_cast<popsgd::Tensor*>(layout), tensors});
  return POPSGD_OK;
}
