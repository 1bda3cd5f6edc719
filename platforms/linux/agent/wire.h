// A device at the other end of a serial port of this machine: a microcontroller along its UART, say.
#pragma once

#include <popsgd/asio/loop.h>
#include <popsgd/asio/serial_port.h>
#include <popsgd/link.h>
#include <popsgd/serial/serial_link.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace popsgd::command {

/// A link along a serial port. Whoever can reach the wire is trusted: frames go in plain text. A port that is lost, as a USB
/// adapter that is unplugged, is opened again as soon as it is there; until then the link loses all that it is given, and its peer
/// is as one that is silent.
class Wire final : net::SerialUser {
 public:
  static constexpr std::uint16_t kMtu =
      1200;  ///< bytes of the longest frame; agents agree on the shorter of theirs
  using Tell = std::function<void(const std::string& line)>;

  /// `baud`: bits a second. `user` hears of the link, and must outlive this. Throws net::Error: the port cannot be opened.
  Wire(net::Loop& loop, std::string device, std::uint32_t baud, LinkUser& user, Tell tell);

  [[nodiscard]] Link& link() noexcept { return link_; }

 private:
  static constexpr std::size_t kFrames = 4;  // that may wait for the port

  void bytes(std::span<const std::byte> bytes) noexcept override { link_.feed(bytes); }
  void writable() noexcept override { link_.pump(); }
  void lost(std::string_view reason) noexcept override;
  void open_again();

  net::Loop& loop_;
  const std::string device_;
  const std::uint32_t baud_;
  Tell tell_;
  net::Timer timer_;
  alignas(8) std::array<std::byte, serial::SerialLink::memory_size(kMtu, kFrames)> memory_;
  std::optional<net::SerialPort> port_;  // none: lost
  serial::SerialLink link_;
};

}  // namespace popsgd::command
