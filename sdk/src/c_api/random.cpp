#include "c_api/random.h"

#include "c_api/pointers.h"

#include <memory>

using popsgd::Status;
using popsgd::c_api::code;
using popsgd::c_api::random_in;

popsgd_status popsgd_draw_seed(const popsgd_entropy* entropy, uint64_t* seed) {
  if (entropy == nullptr || seed == nullptr) return code(Status::null_pointer);
  if (entropy->fill == nullptr) return code(Status::no_function);
  std::uint64_t drawn = 0;
  const popsgd_status status = entropy->fill(entropy->context, &drawn, sizeof drawn);
  if (status == POPSGD_OK) *seed = drawn;
  return status;
}

void popsgd_random_init(popsgd_random* random, uint64_t seed, uint32_t index) {
  if (random == nullptr) return;
  *random = {};
  std::construct_at(&random_in(*random), seed, popsgd::Purpose::user, index);
}

uint32_t popsgd_random_bits(popsgd_random* random) {
  return random == nullptr ? 0 : random_in(*random).bits();
}

uint32_t popsgd_random_below(popsgd_random* random, uint32_t bound) {
  return random == nullptr || bound == 0 ? 0 : random_in(*random).below(bound);
}

float popsgd_random_uniform(popsgd_random* random) {
  return random == nullptr ? 0 : random_in(*random).uniform();
}
