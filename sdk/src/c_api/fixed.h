// A step-size schedule in integers, from C.
#pragma once

#include <popsgd/c/fixed.h>
#include <popsgd/fixed.h>

namespace popsgd::c_api {

static_assert(sizeof(Tensor) == sizeof(popsgd_tensor) &&
              offsetof(Tensor, fraction) == offsetof(popsgd_tensor, fraction));

/// invalid_size: there is no such shape. The rest FixedSchedule::check() says.
[[nodiscard]] Result<FixedSchedule> read(const popsgd_fixed_schedule& from);

}  // namespace popsgd::c_api
