// Differential privacy of what leaves a device: popsgd::Privacy. What it protects, and what it does not: sdk/README.md.
//
//     popsgd_privacy_settings_init(&settings);
//     settings.noise = 40;
//     popsgd_privacy_init(&privacy, &settings, &entropy, memory, sizeof memory);
//     config.privacy = privacy;                                  // before popsgd_agent_size() and popsgd_agent_init_float()
//     popsgd_agent_init_float(&agent, &config, ...);
//     popsgd_agent_restore(agent, &store, now);
//     popsgd_agent_save(agent, &store);                          // pays for the first releases; then whenever
//                                                                // popsgd_privacy_wants_save(privacy)
#pragma once

// NOLINTBEGIN: C
#include <popsgd/c/random.h>
#include <popsgd/c/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Lies in the caller's memory, wholly; needs no end. One for each agent, which it outlives. Every function may be given null for it,
/// and answers POPSGD_NULL_POINTER, 0 or false.
typedef struct popsgd_privacy popsgd_privacy;

typedef struct popsgd_privacy_settings {
  float clip;      ///< C, > 0: about as far, as a norm, as local steps lead between two exchanges
  float noise;     ///< of a parameter, in units of C, > 0; clip * noise from 1e-30 to 1e30
  double epsilon;  ///< the budget, > 0, at most 1e9: what would exceed it is not released
  double delta;    ///< above 0, below 1: well below 1 in the number of devices
  uint32_t
      ahead;  ///< releases that a checkpoint pays for in advance; 0: of an agent that is never to start again
} popsgd_privacy_settings;

/// The defaults, those of popsgd::Privacy::Settings: 1, 10, 8, 1e-6, 32. Nothing happens if it is null.
void popsgd_privacy_settings_init(popsgd_privacy_settings* settings);

/// Bytes of memory that one takes.
size_t popsgd_privacy_size(void);

/// One in `memory`, which is `size` bytes, aligned to 8, and must outlive it; so must what `entropy` refers to: it gives the noise, 8
/// bytes a parameter at each release. On ok `*privacy` is the object, else null. POPSGD_NULL_POINTER; POPSGD_NO_FUNCTION: the
/// entropy's; POPSGD_INVALID_RATE: a setting is outside its range; POPSGD_SCRATCH_TOO_SMALL: or the memory is not aligned.
popsgd_status popsgd_privacy_init(popsgd_privacy** privacy, const popsgd_privacy_settings* settings,
                                  const popsgd_entropy* entropy, void* memory, size_t size);

/// Epsilon spent so far, at the settings' delta; what was paid in advance before the last start is spent.
double popsgd_privacy_epsilon(const popsgd_privacy* privacy);
/// How many more releases of the whole model the budget admits.
double popsgd_privacy_left(const popsgd_privacy* privacy);
/// Whether a checkpoint should be made soon: less than half of what the last one paid for is left.
bool popsgd_privacy_wants_save(const popsgd_privacy* privacy);
/// Blocks whose local updates have left, with noise, since popsgd_privacy_init().
uint64_t popsgd_privacy_releases(const popsgd_privacy* privacy);
/// Offers not made, or answered with BUSY, and blocks shown without local updates, as the budget, or what the last checkpoint paid
/// for of it, did not admit them.
uint64_t popsgd_privacy_withheld(const popsgd_privacy* privacy);
/// Nothing is released any more: a last checkpoint, made after it, pays for nothing in advance.
void popsgd_privacy_close(popsgd_privacy* privacy);

/// What so many releases of a whole model will cost, to be asked before there is an agent. delta: above 0, below 1.
double popsgd_epsilon_after(double releases, float noise, double delta);

#ifdef __cplusplus
}
#endif
// NOLINTEND
