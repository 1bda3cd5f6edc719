#include "device/uart.h"

#include "boards/board.h"
#include "device/registers.h"

namespace popsgd::cortex_m {
namespace {

volatile std::uint32_t& uart(std::uintptr_t offset) {
  return at(board::kUart + offset);
}

#if defined(POPSGD_BOARD_MICROBIT)

// nRF51 Series Reference Manual, chapter UART.
constexpr std::uintptr_t kStartReceiving = 0x000;
constexpr std::uintptr_t kStartSending = 0x008;
constexpr std::uintptr_t kReceived = 0x108;
constexpr std::uintptr_t kSent = 0x11C;
constexpr std::uintptr_t kSetInterrupts = 0x304;
constexpr std::uintptr_t kEnable = 0x500;
constexpr std::uintptr_t kPinToSend = 0x50C;
constexpr std::uintptr_t kPinToReceive = 0x514;
constexpr std::uintptr_t kIn = 0x518;
constexpr std::uintptr_t kOut = 0x51C;
constexpr std::uintptr_t kBaud = 0x524;

void enable() {
  uart(kPinToSend) = 24;  // of a micro:bit, to the chip that is its USB port; QEMU asks for none
  uart(kPinToReceive) = 25;
  uart(kBaud) = 0x01D7E000;  // 115,200
  uart(kEnable) = 4;
  uart(kSetInterrupts) = 1U << 2;
  uart(kStartReceiving) = 1;
  uart(kStartSending) = 1;
}

void send(std::byte byte) {
  uart(kSent) = 0;
  uart(kOut) = std::to_integer<std::uint32_t>(byte);
  while (uart(kSent) == 0) {
  }
}

// Calls take(byte) for each byte that has come.
template <typename Take>
void receive(Take take) {
  while (uart(kReceived) != 0) {
    uart(kReceived) = 0;
    take(static_cast<std::byte>(uart(kIn)));
  }
}

#else

// Arm Cortex-M System Design Kit Technical Reference Manual, section 4.3: the APB UART.
constexpr std::uintptr_t kData = 0x00;
constexpr std::uintptr_t kState = 0x04;
constexpr std::uintptr_t kControl = 0x08;
constexpr std::uintptr_t kInterrupts = 0x0C;
constexpr std::uintptr_t kDivider = 0x10;
constexpr std::uint32_t kFull = 1;      // of the state: nothing may be written
constexpr std::uint32_t kReceived = 2;  // of state and interrupts

void enable() {
  constexpr std::uint32_t kSendReceiveAndInterrupt = 1 | 2 | 8;
  uart(kDivider) = board::kClock / 115200;
  uart(kControl) = kSendReceiveAndInterrupt;
}

void send(std::byte byte) {
  while ((uart(kState) & kFull) != 0) {
  }
  uart(kData) = std::to_integer<std::uint32_t>(byte);
}

template <typename Take>
void receive(Take take) {
  uart(kInterrupts) = kReceived;
  while ((uart(kState) & kReceived) != 0) take(static_cast<std::byte>(uart(kData)));
}

#endif

}  // namespace

void Uart::start() noexcept {
  enable();
  enable_interrupt(board::kUartInterrupt);
}

void Uart::write(std::span<const std::byte> bytes) noexcept {
  for (const std::byte byte : bytes) send(byte);
}

std::span<std::byte> Uart::read(std::span<std::byte> into) noexcept {
  std::size_t count = 0;
  for (; count < into.size() && begin_ != end_; ++count) {
    into[count] = ring_[begin_ % kRing];
    begin_ = begin_ + 1;
  }
  return into.first(count);
}

void Uart::interrupt() noexcept {
  receive([this](std::byte byte) { came(byte); });
}

void Uart::came(std::byte byte) noexcept {
  if (end_ - begin_ == kRing) {
    lost_ = lost_ + 1;
    return;
  }
  ring_[end_ % kRing] = byte;
  end_ = end_ + 1;
}

}  // namespace popsgd::cortex_m
