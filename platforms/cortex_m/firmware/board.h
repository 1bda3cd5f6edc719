// The board's parts, which interrupts and the main loop share.
#pragma once

#include "device/board_entropy.h"
#include "device/flash_store.h"
#include "device/tick_clock.h"
#include "device/uart.h"
#include "node.h"

#include <popsgd/serial/serial_link.h>

namespace firmware {

struct Board {
  popsgd::cortex_m::TickClock clock;
  popsgd::cortex_m::Uart uart;
  popsgd::cortex_m::BoardEntropy entropy;
  popsgd::cortex_m::Flash flash;
  popsgd::cortex_m::FlashStore store{flash};

  void start() noexcept {
    clock.start();
    uart.start();
  }
  [[nodiscard]] Services services() noexcept { return {clock, entropy}; }
  /// The UART as a link's port.
  [[nodiscard]] popsgd::serial::Port port() noexcept {
    const auto write = [](void* to, std::span<const std::byte> bytes) noexcept {
      static_cast<popsgd::cortex_m::Uart*>(to)->write(bytes);
      return bytes.size();
    };
    return {write, &uart};
  }
};

extern Board board;

}  // namespace firmware
