// Programming errors, as opposed to bad input: checked in debug builds, through a hook a firmware can own.
#pragma once

#ifdef NDEBUG
#define POPSGD_ASSERT(condition) static_cast<void>(0)
#else
namespace popsgd {
/// Called when an assertion fails; must not return. The library's default traps the processor; a program
/// defines its own by linking a definition of this function (the default is a weak symbol).
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;
}  // namespace popsgd
#define POPSGD_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::popsgd::assertion_failed(#condition, __FILE__, __LINE__))
#endif
