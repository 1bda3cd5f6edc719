// What parameters may be.
#pragma once

#include <cstdint>

namespace popsgd {

/// What a parameter is.
enum class Numeric : std::uint8_t { float32, int16, int8 };

/// Whether agents of this build hold models of that kind; all, unless the build's POPSGD_AGENTS says otherwise. A device that
/// holds one kind has no code for the others. It may well meet partners that do.
[[nodiscard]] constexpr bool held(Numeric numeric) {
#if defined(POPSGD_WITHOUT_FLOAT32)
  if (numeric == Numeric::float32) return false;
#endif
#if defined(POPSGD_WITHOUT_INT16)
  if (numeric == Numeric::int16) return false;
#endif
#if defined(POPSGD_WITHOUT_INT8)
  if (numeric == Numeric::int8) return false;
#endif
  return numeric <= Numeric::int8;
}

/// Whether flash is scarcer than time, as on Cortex-M0 and M0+: then what else is written out is a loop, and tables are short.
#if defined(__ARM_ARCH_6M__)
inline constexpr bool kScarce = true;
#else
inline constexpr bool kScarce = false;
#endif

}  // namespace popsgd
