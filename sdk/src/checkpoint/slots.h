// What the two slots of a store hold.
#pragma once

#include "checkpoint/header.h"

#include <popsgd/status.h>
#include <popsgd/store.h>

#include <cstdint>
#include <optional>

namespace popsgd::checkpoint {

struct Slots {
  std::optional<unsigned> newest{};  ///< the slot of the newest checkpoint that is entire
  Header header{};                   ///< its header
  std::uint64_t last_sequence = 0;   ///< of `newest`; without one, of the newest header; without any, 0
  bool blank = false;                ///< both slots are
};

/// Syncs the store, then reads both headers, and payloads until one is found entire: what is found is durable. Not ok: what the store answered, or
/// store_too_small when a slot has not one page. `slots` is as it was made.
[[nodiscard]] Status survey(Store& store, Slots& slots) noexcept;

}  // namespace popsgd::checkpoint
