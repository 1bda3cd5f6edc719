// What agents of a build can do beside what the protocol asks of them.
#pragma once

#include <cstdint>

namespace popsgd {

/// What a build may leave out. Its agents meet those that have it as agents do that make no use of it.
enum class Part : std::uint8_t {
  gate,      ///< Guarding::gate: distances of partners' models are measured, remembered and judged
  rotation,  ///< Quantisation::rotate
  schedule,  ///< step sizes that change as steps are taken; of FixedSchedule
};

/// Whether agents of this build have it; all, unless the build's POPSGD_PARTS says otherwise. A configuration that asks for
/// what is left out is refused: unknown_format.
[[nodiscard]] constexpr bool has(Part part) {
#if defined(POPSGD_WITHOUT_GATE)
  if (part == Part::gate) return false;
#endif
#if defined(POPSGD_WITHOUT_ROTATION)
  if (part == Part::rotation) return false;
#endif
#if defined(POPSGD_WITHOUT_SCHEDULE)
  if (part == Part::schedule) return false;
#endif
  return part <= Part::schedule;
}

}  // namespace popsgd
