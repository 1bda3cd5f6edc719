// What a build can do beside what the protocol asks of its agents.
#pragma once

#include <cstdint>

namespace popsgd {

/// What a build may leave out. Its agents meet those that have it as agents do that make no use of it.
enum class Part : std::uint8_t {
  gate,       ///< Guarding::gate: distances of partners' models are measured, remembered and judged
  rotation,   ///< Quantisation::rotate
  schedule,   ///< step sizes that change as steps are taken, or end them; of FixedSchedule
  networks,   ///< FixedNetwork of any kind; without: softmax regression, a sample at a time
  window,     ///< AgentConfig::window above 1: several chunks in flight
  diagnosis,  ///< AgentMetrics but for how often the agent met others, and how much it sent; Observer
};

/// Whether this build has it; it has all, unless its POPSGD_PARTS says otherwise. A configuration that asks for what is left
/// out is refused: unknown_format.
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
#if defined(POPSGD_WITHOUT_NETWORKS)
  if (part == Part::networks) return false;
#endif
#if defined(POPSGD_WITHOUT_WINDOW)
  if (part == Part::window) return false;
#endif
#if defined(POPSGD_WITHOUT_DIAGNOSIS)
  if (part == Part::diagnosis) return false;
#endif
  return part <= Part::diagnosis;
}

}  // namespace popsgd
