#include "board.h"

#include "start/start.h"

firmware::Board firmware::board;

void tick() noexcept {
  firmware::board.clock.count();
}

void uart_interrupt() noexcept {
  firmware::board.uart.interrupt();
}
