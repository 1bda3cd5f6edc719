// A stream of random numbers within its struct of C.
#pragma once

#include <popsgd/c/random.h>
#include <popsgd/random.h>

namespace popsgd::c_api {

static_assert(sizeof(Random) == sizeof(popsgd_random));
static_assert(alignof(Random) == alignof(popsgd_random));

[[nodiscard]] inline Random& random_in(popsgd_random& random) {
  return reinterpret_cast<Random&>(random);
}
[[nodiscard]] inline popsgd_random* handle(Random& random) {
  return reinterpret_cast<popsgd_random*>(&random);
}

}  // namespace popsgd::c_api
