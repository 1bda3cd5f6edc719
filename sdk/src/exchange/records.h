// What an agent saves beside its model and its counter.
#pragma once

#include "exchange/finished.h"

#include <popsgd/guard.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd {

/// The head of a checkpoint's records; finished exchanges, gates and step estimates follow, all as they lie in the
/// workspace, so that to save them takes no memory. Fixed-width fields without gaps, little-endian on every target the SDK builds for.
struct Records {
  static constexpr std::uint16_t kVersion = 2;

  std::uint16_t version = kVersion;
  std::uint16_t finished = 0;  ///< places for finished exchanges
  std::uint32_t gates = 0;
  std::uint32_t gate_length = 0;  ///< parameters to a gate
  float last_update = 0;          ///< rms of the last local step
  std::uint64_t steps = 0;        ///< the agent's own
  std::uint8_t fresh = 0;
  std::uint8_t accounted =
      0;  ///< 1: what was spent of the privacy budget, and the model as it is shown, follow
  std::uint8_t unused[2]{};
  std::uint32_t estimates = 0;  ///< of steps

  /// Whether records saved by another agent, or by this one before, are laid out as this agent's are.
  [[nodiscard]] bool laid_out_as(const Records& other) const {
    return version == other.version && finished == other.finished && gates == other.gates &&
           gate_length == other.gate_length && estimates == other.estimates && accounted == other.accounted;
  }
};
static_assert(sizeof(Records) == 32 && sizeof(Gate) == 32 && std::endian::native == std::endian::little);

}  // namespace popsgd
