// What a program on a board may ask of its start-up code, and give it.
#pragma once

#include <cstddef>

extern "C" {

/// What interrupts call. What a program does not define, as it starts no such device, is a fault.
void tick() noexcept;
void uart_interrupt() noexcept;
void ethernet_interrupt() noexcept;

/// An exception that nobody handles. By default the processor stops here, for a debugger or a watchdog.
void fault() noexcept;

/// Called when memory and constructors are done; does not return. By default it calls main() without arguments, which should
/// not return either.
void run() noexcept;

}  // extern "C"

namespace popsgd::cortex_m {

/// Bytes of stack that were in use at the deepest point since reset: what start-up has painted, and is painted no more.
[[nodiscard]] std::size_t stack_used() noexcept;

}  // namespace popsgd::cortex_m
