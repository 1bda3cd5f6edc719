// What an emulated device is asked for, in words name=value.
#pragma once

#include "node.h"
#include "share.h"
#include "swarm_key.h"

#include <popsgd/address.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace firmware {

struct Request {
  bool activity = false;         ///< data=digits or activity
  bool floats = false;           ///< numeric=int16 or float32
  Share share{};                 ///< share=K/N: the classes it sees; K from 0
  std::uint32_t seconds = 10;    ///< seconds=
  Pace pace{};                   ///< step= meet=
  std::uint32_t save = 600'000;  ///< save=
  std::optional<std::uint32_t>
      cut;  ///< cut=N: it saves once, and power fails in the change of the flash after N
  std::array<popsgd::Address, 2> peers{};  ///< peer=A.B.C.D:PORT, twice at most
  std::size_t peer_count = 0;
  std::optional<SwarmKey> key;  ///< key=POPSGD:1-...: the line of a key file; peers are to have it, too

  /// As `popsgd agent --swarm`.
  [[nodiscard]] const char* swarm() const { return activity ? "activity" : "digits"; }
};

/// Nothing: a word is not understood.
[[nodiscard]] std::optional<Request> request_from(std::span<char* const> words) noexcept;

}  // namespace firmware
