#include "device/lan9118.h"

#include "boards/board.h"
#include "device/registers.h"

#include <cstring>

namespace popsgd::cortex_m {
namespace {

// Chapter 5: registers of the bus, and those of the MAC and the PHY, which are reached through them.
constexpr std::uintptr_t kRxDataFifo = 0x00;
constexpr std::uintptr_t kTxDataFifo = 0x20;
constexpr std::uintptr_t kRxStatusFifo = 0x40;
constexpr std::uintptr_t kTxStatusFifo = 0x48;
constexpr std::uintptr_t kIrqConfig = 0x54;
constexpr std::uintptr_t kInterruptStatus = 0x58;
constexpr std::uintptr_t kInterruptEnable = 0x5C;
constexpr std::uintptr_t kByteTest = 0x64;
constexpr std::uintptr_t kFifoInterrupts = 0x68;
constexpr std::uintptr_t kTxConfig = 0x70;
constexpr std::uintptr_t kHardwareConfig = 0x74;
constexpr std::uintptr_t kRxFifoInformation = 0x7C;
constexpr std::uintptr_t kTxFifoInformation = 0x80;
constexpr std::uintptr_t kMacCommand = 0xA4;
constexpr std::uintptr_t kMacData = 0xA8;

constexpr std::uint32_t kSound = 0x87654321;  // what BYTE_TEST reads
constexpr std::uint32_t kRxStatusLevel = 1U << 3;

enum class MacRegister : std::uint32_t {
  control = 1,
  address_high = 2,
  address_low = 3,
  mii = 6,
  mii_data = 7
};

volatile std::uint32_t& lan(std::uintptr_t offset) {
  return at(board::kEthernet + offset);
}

// A wait that ends even if nothing answers.
template <typename Done>
bool wait_until(Done done) {
  for (std::uint32_t tries = 0; tries < 1'000'000; ++tries) {
    if (done()) return true;
  }
  return false;
}

constexpr std::uint32_t kBusy = 1U << 31;

void mac_command(MacRegister which, std::uint32_t direction) {
  lan(kMacCommand) = kBusy | direction | static_cast<std::uint32_t>(which);
  static_cast<void>(wait_until([] { return (lan(kMacCommand) & kBusy) == 0; }));
}

std::uint32_t read(MacRegister which) {
  constexpr std::uint32_t kRead = 1U << 30;
  mac_command(which, kRead);
  return lan(kMacData);
}

void write(MacRegister which, std::uint32_t value) {
  lan(kMacData) = value;
  mac_command(which, 0);
}

// IEEE 802.3, clause 22: to find out, with whatever is at the other end of the cable, how to talk.
void start_phy() {
  constexpr std::uint32_t kBasicControl = 0;
  constexpr std::uint32_t kNegotiate = 0x1200;
  constexpr std::uint32_t kPhy = 1U << 11;
  constexpr std::uint32_t kMiiWrite = 2;
  constexpr std::uint32_t kMiiBusy = 1;
  write(MacRegister::mii_data, kNegotiate);
  write(MacRegister::mii, kPhy | kBasicControl << 6 | kMiiWrite | kMiiBusy);
  static_cast<void>(wait_until([] { return (read(MacRegister::mii) & kMiiBusy) == 0; }));
}

constexpr std::size_t words(std::size_t bytes) {
  return (bytes + 3) / 4;
}

}  // namespace

bool Lan9118::start() noexcept {
  constexpr std::uint32_t kReset = 1;
  constexpr std::uint32_t kFiveKilobytesToSend = 5U << 16;
  constexpr std::uint32_t kMustBeOne = 1U << 20;
  if (!wait_until([] { return lan(kByteTest) == kSound; })) return false;
  lan(kHardwareConfig) = kReset;
  if (!wait_until([] { return (lan(kHardwareConfig) & kReset) == 0; })) return false;
  lan(kHardwareConfig) = kMustBeOne | kFiveKilobytesToSend;
  start_phy();
  start_mac();

  constexpr std::uint32_t kEnableActiveHighPushPull = 1U << 8 | 1U << 4 | 1U;
  lan(kFifoInterrupts) = 0;  // as soon as a single frame has come
  lan(kIrqConfig) = kEnableActiveHighPushPull;
  lan(kInterruptStatus) = ~0U;
  lan(kInterruptEnable) = kRxStatusLevel;
  enable_interrupt(board::kEthernetInterrupt);
  return true;
}

void Lan9118::start_mac() noexcept {
  constexpr std::uint32_t kFullDuplex = 1U << 20;
  constexpr std::uint32_t kAllMulticast = 1U << 19;
  constexpr std::uint32_t kSend = 1U << 3;
  constexpr std::uint32_t kReceive = 1U << 2;
  constexpr std::uint32_t kTransmitterOn = 1U << 1;
  const std::uint32_t low = read(MacRegister::address_low);
  const std::uint32_t high = read(MacRegister::address_high);
  for (std::size_t k = 0; k < mac_.size(); ++k)
    mac_[k] = static_cast<std::uint8_t>(k < 4 ? low >> 8 * k : high >> 8 * (k - 4));
  lan(kTxConfig) = kTransmitterOn;
  write(MacRegister::control, kFullDuplex | kAllMulticast | kSend | kReceive);
}

// Section 3.12: two words of command, then the frame, in whole words.
bool Lan9118::send(std::span<const std::byte> frame) noexcept {
  constexpr std::uint32_t kFirst = 1U << 13;
  constexpr std::uint32_t kLast = 1U << 12;
  const auto length = static_cast<std::uint32_t>(frame.size());
  while ((lan(kTxFifoInformation) >> 16 & 0xFFU) != 0) static_cast<void>(std::uint32_t{lan(kTxStatusFifo)});
  if ((lan(kTxFifoInformation) & 0xFFFFU) < 4 * words(length) + 8) return false;
  lan(kTxDataFifo) = kFirst | kLast | length;
  lan(kTxDataFifo) = length;
  for (std::size_t k = 0; k < words(length); ++k) {
    std::uint32_t word = 0;
    const std::size_t size = frame.size() - 4 * k < 4 ? frame.size() - 4 * k : 4;
    std::memcpy(&word, frame.data() + 4 * k, size);
    lan(kTxDataFifo) = word;
  }
  return true;
}

// Section 3.13: its status, then the frame and its checksum, in whole words.
std::span<std::byte> Lan9118::receive(std::span<std::byte> into) noexcept {
  constexpr std::uint32_t kDamaged = 1U << 15;
  constexpr std::size_t kChecksum = 4;
  while ((lan(kRxFifoInformation) >> 16 & 0xFFU) != 0) {
    const std::uint32_t status = lan(kRxStatusFifo);
    const std::size_t size = status >> 16 & 0x3FFFU;
    const bool sound = (status & kDamaged) == 0 && size > kChecksum && 4 * words(size) <= into.size();
    for (std::size_t k = 0; k < words(size); ++k) {
      const std::uint32_t word = lan(kRxDataFifo);
      if (sound) std::memcpy(into.data() + 4 * k, &word, sizeof word);
    }
    if (sound) return into.first(size - kChecksum);
  }
  return {};
}

// The line stays raised until all frames are read: it is let through again when somebody has begun to.
void Lan9118::interrupt() noexcept {
  lan(kInterruptEnable) = 0;
  due_ = true;
}

bool Lan9118::due() noexcept {
  if (!due_) return false;
  due_ = false;
  lan(kInterruptStatus) = kRxStatusLevel;
  lan(kInterruptEnable) = kRxStatusLevel;
  return true;
}

}  // namespace popsgd::cortex_m
