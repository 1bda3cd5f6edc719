// What the last layer's values are compared with, and the errors that come of it.
#pragma once

#include <popsgd/fixed.h>
#include <popsgd/network.h>

#include <cstddef>
#include <cstdint>

namespace popsgd::fixed {

/// The last layer's values of a batch, in units of 2^-16, row after row.
struct Outputs {
  const FixedBatch& batch;
  std::size_t width;
  std::int32_t* z;
};

struct LossAndScale {
  std::int64_t loss;  ///< summed over the rows, in units of 2^-16
  int fraction;       ///< of the errors
};

/// Turns z into d loss / d z, row after row.
LossAndScale loss_and_error(Loss loss, const Outputs& out, std::uint64_t& saturated) noexcept;

}  // namespace popsgd::fixed
