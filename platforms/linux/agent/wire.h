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

/// A link along a serial port, begun again after each end. It ends if the port is lost, as a USB adapter that is unplugged, which is
/// opened again as soon as it is back.
class Wire final : public Link, LinkUser, net::SerialUser {
 public:
  static constexpr std::uint16_t kMtu =
      1200;  ///< bytes of the longest frame; agents agree on the shorter of theirs
  using Tell = std::function<void(const std::string& line)>;
  /// Told of the link at each beginning; who hears of it until it is closed.
  using Meet = std::function<LinkUser&(Link& link)>;

  /// `baud`: bits a second. Begins at once. Throws net::Error: the port cannot be opened.
  Wire(net::Loop& loop, std::string device, std::uint32_t baud, Meet meet, Tell tell);

  [[nodiscard]] LinkTraits traits() const noexcept override { return link_.traits(); }
  [[nodiscard]] Status send(std::span<const std::byte> frame) noexcept override { return link_.send(frame); }
  void close() noexcept override;

 private:
  static constexpr std::size_t kFrames = 4;  // that may wait for the port

  // of the port
  void bytes(std::span<const std::byte> bytes) noexcept override { link_.feed(bytes); }
  void writable() noexcept override { link_.pump(); }
  void lost(std::string_view reason) noexcept override;
  // of the link along it
  void received(Link&, std::span<const std::byte> frame) noexcept override { user_->received(*this, frame); }
  void writable(Link&) noexcept override { user_->writable(*this); }
  void closed(Link&) noexcept override;

  void begin();
  void turn();
  void open_again();

  net::Loop& loop_;
  const std::string device_;
  const std::uint32_t baud_;
  Meet meet_;
  Tell tell_;
  net::Timer timer_;
  alignas(8) std::array<std::byte, serial::SerialLink::memory_size(kMtu, kFrames)> memory_;
  std::optional<net::SerialPort> port_;
  bool lost_ = false;  // the port
  serial::SerialLink link_;
  LinkUser* user_ = nullptr;  // null: the link is closed, until it is begun again
};

}  // namespace popsgd::command
