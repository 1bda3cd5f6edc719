// Random numbers: those that repeat from a seed, and those that nobody can foretell.
#pragma once

// NOLINTBEGIN: C
#include <popsgd/c/status.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Where a device has unpredictable bytes from: a hardware generator, a kernel's pool. See popsgd/entropy.h.
typedef struct popsgd_entropy {
  /// Fills all of `into`. POPSGD_NO_ENTROPY: there is none, and `into` means nothing. May block until the source is ready.
  popsgd_status (*fill)(void* context, void* into, size_t length);
  void* context;
} popsgd_entropy;

/// Draws popsgd_agent_config's seed, which must be another at every start: devices of the same seed take each other's offers for
/// their own. Not ok (what the source answered; POPSGD_NULL_POINTER, POPSGD_NO_FUNCTION): `seed` stays as it is.
popsgd_status popsgd_draw_seed(const popsgd_entropy* entropy, uint64_t* seed);

/// A stream of random numbers that follows from its seed, the same bits on every target: popsgd::Random. To be copied by
/// assignment, which copies its place; what is inside is the library's.
typedef struct popsgd_random {
  uint64_t opaque[3];
} popsgd_random;

/// Begins stream `index` of `seed` among those that are the application's own. The SDK itself draws from none of them.
void popsgd_random_init(popsgd_random* random, uint64_t seed, uint32_t index);

/// 32 uniform bits; 0 of a null pointer, as the two below.
uint32_t popsgd_random_bits(popsgd_random* random);
/// Uniform in [0, bound), exactly; bound >= 1, or 0 comes back.
uint32_t popsgd_random_below(popsgd_random* random, uint32_t bound);
/// Uniform in [0, 1), a multiple of 2^-24.
float popsgd_random_uniform(popsgd_random* random);

#ifdef __cplusplus
}
#endif
// NOLINTEND
