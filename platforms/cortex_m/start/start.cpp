// From reset to run(): memory, the floating-point unit, constructors.
#include "start/start.h"

#include "boards/board.h"
#include "device/registers.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

using popsgd::cortex_m::board::kInterrupts;
using popsgd::cortex_m::board::kUartInterrupt;

extern "C" {

// Of the linker's script.
extern std::uint32_t data_begin[];
extern std::uint32_t data_end[];
extern const std::uint32_t data_image[];
extern std::uint32_t bss_begin[];
extern std::uint32_t bss_end[];
extern std::uint32_t stack_begin[];
extern std::uint32_t stack_end[];
using Constructor = void (*)();
extern const Constructor array_begin[];
extern const Constructor array_end[];

void reset() noexcept;
int main();

[[gnu::weak]] void fault() noexcept {
  while (true) popsgd::cortex_m::sleep();
}
[[gnu::weak]] void tick() noexcept {
  fault();
}
[[gnu::weak]] void uart_interrupt() noexcept {
  fault();
}
[[gnu::weak]] void ethernet_interrupt() noexcept {
  fault();
}

}  // extern "C"

namespace {

// What the stack is painted with, so that later can be seen how far down it has been.
constexpr std::uint32_t kPaint = 0xDEADBEEF;

using Handler = void (*)();
struct Vectors {
  const std::uint32_t* stack = stack_end;
  std::array<Handler, 15> exceptions{};
  std::array<Handler, kInterrupts> interrupts{};

  constexpr Vectors() {
    exceptions.fill(fault);
    interrupts.fill(fault);
    exceptions.front() = reset;
    exceptions.back() = tick;
    interrupts[kUartInterrupt] = uart_interrupt;
#if !defined(POPSGD_BOARD_MICROBIT)
    interrupts[popsgd::cortex_m::board::kEthernetInterrupt] = ethernet_interrupt;
#endif
  }
};

[[gnu::section(".vectors"), gnu::used]] constinit const Vectors kVectors;

}  // namespace

std::size_t popsgd::cortex_m::stack_used() noexcept {
  const auto* const untouched =
      std::find_if(stack_begin, stack_end, [](std::uint32_t word) { return word != kPaint; });
  return static_cast<std::size_t>(stack_end - untouched) * sizeof(std::uint32_t);
}

// Not a part of reset(): that has to know where its frame is, for which it gives up a register.
[[gnu::weak, gnu::noinline]] void run() noexcept {
  main();
  fault();
}

void reset() noexcept {
  popsgd::cortex_m::enable_floating_point();
  std::copy(data_image, data_image + (data_end - data_begin), data_begin);
  std::fill(bss_begin, bss_end, 0U);
  auto* const frame = static_cast<std::uint32_t*>(__builtin_frame_address(0));
  std::fill(stack_begin, frame - 32, kPaint);  // what lies above may be in use
  std::for_each(array_begin, array_end, [](Constructor construct) { construct(); });
  run();
}
