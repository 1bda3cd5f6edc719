/* What lwIP asks of a compiler and a board: random numbers, for ports and sequence numbers, and nothing that prints. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C"
#endif
    uint32_t
    popsgd_lwip_random(void);

#define LWIP_RAND() popsgd_lwip_random()
#define LWIP_PLATFORM_DIAG(message)
#define LWIP_PLATFORM_ASSERT(message) __builtin_trap()
