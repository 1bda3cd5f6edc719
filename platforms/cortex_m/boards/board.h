// What tells the boards apart: clocks, addresses and interrupts. The build defines which one it is for.
//   micro:bit: nRF51822 Product Specification; MPS2: Arm application notes AN385, AN386, AN500 (0385, 0386, 0500) and AN505
#pragma once

#include <cstdint>

namespace popsgd::cortex_m::board {

#if defined(POPSGD_BOARD_MICROBIT)                   // has no Ethernet
inline constexpr std::uint32_t kClock = 16'000'000;  ///< Hz
inline constexpr std::uintptr_t kUart = 0x40002000;
inline constexpr unsigned kUartInterrupt = 2;
inline constexpr std::uintptr_t kRandom = 0x4000D000;
#elif defined(POPSGD_BOARD_MPS2)
inline constexpr std::uint32_t kClock = 25'000'000;
inline constexpr std::uintptr_t kUart = 0x40004000;
inline constexpr unsigned kUartInterrupt = 0;
#if defined(POPSGD_BOARD_AN500)
inline constexpr std::uintptr_t kEthernet = 0xA0000000;
#else
inline constexpr std::uintptr_t kEthernet = 0x40200000;
#endif
inline constexpr unsigned kEthernetInterrupt = 13;
#elif defined(POPSGD_BOARD_MPS2_AN505)
inline constexpr std::uint32_t kClock = 20'000'000;
inline constexpr std::uintptr_t kUart = 0x50200000;
inline constexpr unsigned kUartInterrupt = 32;
inline constexpr std::uintptr_t kEthernet = 0x52000000;  // as the secure world sees it
inline constexpr unsigned kEthernetInterrupt = 48;
#else
#error "POPSGD_BOARD_... names none of the boards"
#endif

/// Interrupts in the table of vectors: up to the last that a program of ours lets through.
#if defined(POPSGD_BOARD_MICROBIT)
inline constexpr unsigned kInterrupts = kUartInterrupt + 1;
#else
inline constexpr unsigned kInterrupts =
    (kUartInterrupt < kEthernetInterrupt ? kEthernetInterrupt : kUartInterrupt) + 1;
#endif

}  // namespace popsgd::cortex_m::board
