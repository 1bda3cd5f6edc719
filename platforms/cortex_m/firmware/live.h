// The main loop of what is flashed.
#pragma once

#include "board.h"
#include "device/registers.h"

#include <popsgd/clock.h>

#include <array>
#include <cstddef>

namespace firmware {

/// For ever: takes turns, of which each says when the next is due, and sleeps between them until then or until a byte comes, which
/// the wire is given.
template <typename Wire, typename Turn>
[[noreturn]] void live(Wire& wire, Turn turn) noexcept {
  while (true) {
    const popsgd::Time next = turn();
    while (board.uart.empty() && !next.reached(board.clock.now()))
      popsgd::cortex_m::sleep();  // until a byte, or a millisecond later
    std::array<std::byte, 64> bytes;
    wire.feed(board.uart.read(bytes));
  }
}

}  // namespace firmware
