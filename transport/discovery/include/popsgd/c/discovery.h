// By which number a swarm and a model are known: popsgd::discovery::swarm_tag().
#pragma once

// NOLINTBEGIN: C
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// 64-bit FNV-1a of a string, 0 of a null pointer. Of a swarm's name it is what beacons carry. Agents of one
/// swarm and model have it as their popsgd_agent_config's `fingerprint`, of name, model, widths and number of parameters:
///
///     config.fingerprint = popsgd_swarm_tag("digits\nsoftmax 64 10 650");
///
/// is that of `popsgd agent --swarm digits --model softmax` with data of 64 features and 10 classes. They meet if the layout is the same,
/// too, of floats as well: weights and biases, layer after layer. A tag proves nothing.
uint64_t popsgd_swarm_tag(const char* text);

#ifdef __cplusplus
}
#endif
// NOLINTEND
