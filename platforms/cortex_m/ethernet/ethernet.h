// The board on its network: lwIP over the LAN9118. Its address comes by DHCP.
#pragma once

#include "device/lan9118.h"

#include <popsgd/clock.h>
#include <popsgd/entropy.h>

#include <cstddef>
#include <span>

namespace popsgd::cortex_m {

/// A program has one. lwIP's own calls back from within turn() only.
class Ethernet {
 public:
  /// All must outlive this.
  Ethernet(Lan9118& lan, Clock& clock, Entropy& entropy) noexcept;

  /// false: the controller does not answer.
  [[nodiscard]] bool start() noexcept;
  /// Takes what has come, and does what is due.
  void turn() noexcept;
  /// turn() has something to do.
  [[nodiscard]] bool due() noexcept;
  /// When turn() is due if nothing comes.
  [[nodiscard]] Time deadline() noexcept;
  /// It has an address.
  [[nodiscard]] bool up() const noexcept;

 private:
  Lan9118& lan_;
  Clock& clock_;
  bool due_ = true;
};

}  // namespace popsgd::cortex_m
