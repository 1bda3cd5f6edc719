// The gradient of no samples.
#pragma once

#include <popsgd/gradient.h>

#include <limits>

namespace popsgd {

/// into <- keep * into, whose loss is not a number.
inline float no_gradient(float keep, Params into) {
  for (float& value : into) value = keep == 0 ? 0 : keep * value;
  return std::numeric_limits<float>::quiet_NaN();
}

}  // namespace popsgd
