// The Ethernet controller of MPS2 boards: SMSC's LAN9118, by its datasheet (revision 1.5), which names the registers as here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::cortex_m {

/// Frames of Ethernet, without their checksums. The program has one, and its ethernet_interrupt() calls interrupt().
class Lan9118 {
 public:
  static constexpr std::size_t kLongest = 1514;  ///< bytes of a frame
  using Mac = std::array<std::uint8_t, 6>;

  /// Wakes it up, and its PHY; all multicast is let through. false: it does not answer.
  [[nodiscard]] bool start() noexcept;
  /// What its EEPROM says; valid after start().
  [[nodiscard]] const Mac& mac() const noexcept { return mac_; }

  /// `frame`: 4-aligned, up to kLongest. false: there is no room for it now.
  [[nodiscard]] bool send(std::span<const std::byte> frame) noexcept;
  /// The next frame that has come, written to `into`: 4-aligned, kLongest + 6 bytes at least. Empty: none. Damaged ones are passed over.
  [[nodiscard]] std::span<std::byte> receive(std::span<std::byte> into) noexcept;

  /// Something may have come since this was asked last.
  [[nodiscard]] bool due() noexcept;
  void interrupt() noexcept;

 private:
  void start_mac() noexcept;

  Mac mac_{};
  volatile bool due_ = false;
};

}  // namespace popsgd::cortex_m
