/* check.h for programs in C. */
#pragma once

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Says what was promised if it is not so.
void check(bool holds, const char* promise);
/// The program's exit status; says how deep the stack was, and that all promises were kept if they were.
int checked(void);

#ifdef __cplusplus
}
#endif
