// The link along the board's UART, and its memory.
#pragma once

#include "node.h"

#include <popsgd/serial/serial_link.h>

#include <array>
#include <cstddef>
#include <span>

namespace firmware {

class Wire {
 public:
  explicit Wire(popsgd::serial::Port port) noexcept : link_(Node::kMtu, port, memory_) {}

  /// The node meets whoever is at the other end, once they have spoken.
  void open(Node& node) noexcept { link_.open(node); }
  [[nodiscard]] popsgd::Link& link() noexcept { return link_; }
  /// Bytes have come.
  void feed(std::span<const std::byte> bytes) noexcept {
    link_.feed(bytes);
    link_.pump();
  }

 private:
  alignas(8) std::array<std::byte, popsgd::serial::SerialLink::memory_size(Node::kMtu, 1)> memory_;
  popsgd::serial::SerialLink link_;
};

}  // namespace firmware
