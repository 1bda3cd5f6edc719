// What a slot of a store holds, told to whoever does not know whose it is.
#pragma once

#include <popsgd/counter.h>
#include <popsgd/status.h>
#include <popsgd/store.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace popsgd::checkpoint {

enum class Condition : std::uint8_t {
  entire,
  blank,            ///< erased, or never written
  foreign,          ///< does not begin as a checkpoint does; or was cut while its header was written
  version,          ///< a checkpoint of a version that this one does not know
  header_damaged,   ///< the header's checksum is wrong
  too_long,         ///< what the header describes does not fit the slot: the store was cut short
  payload_damaged,  ///< the payload's checksum is wrong
};

/// One line for a person, e.g. "the header's checksum is wrong".
[[nodiscard]] std::string_view text(Condition condition) noexcept;

/// The head of an agent's records.
struct AgentRecords {
  std::uint16_t version = 0;
  bool fresh = false;          ///< it has learned nothing yet
  std::uint64_t steps = 0;     ///< its own local steps
  float last_update = 0;       ///< root mean square of the last one
  std::uint16_t finished = 0;  ///< places for finished exchanges
  std::uint32_t gates = 0;
  std::uint32_t gate_length = 0;  ///< parameters to a gate
  std::uint32_t estimates = 0;    ///< of steps of the lattice
};

struct Description {
  Condition condition = Condition::blank;

  // Of an entire header: entire, too_long, payload_damaged.
  std::uint64_t fingerprint = 0;
  std::uint64_t sequence = 0;
  std::uint32_t parameters =
      0;  ///< of 4 bytes; an integer model's are 2 or 4 times as many, up to 3 of them zeros at the end
  std::uint32_t records = 0;  ///< bytes

  // Of a checkpoint that is entire.
  StepCounter steps{};
  std::optional<AgentRecords> agent{};  ///< nothing: the records are not an agent's of this version
};

/// Whether `a` was saved after `b`: sequence numbers are compared on a circle, 0 follows 2^64 - 1.
[[nodiscard]] constexpr bool newer(const Description& a, const Description& b) noexcept {
  return a.sequence != b.sequence && a.sequence - b.sequence < std::uint64_t{1} << 63;
}

/// Reads a slot through, once, and says what is in it: checked, whatever the bytes are. Does not sync: nothing may be built on
/// it. Not ok: what the store answered, or store_too_small when a slot has not one page.
[[nodiscard]] Result<Description> describe(Store& store, unsigned slot) noexcept;

}  // namespace popsgd::checkpoint
