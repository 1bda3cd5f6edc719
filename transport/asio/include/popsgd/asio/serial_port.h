// A serial port of this machine, as bytes: a tty, a USB adapter, a PTY.
#pragma once

#include <popsgd/asio/loop.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace popsgd::net {

/// Whoever reads a port. Called from within the loop only.
class SerialUser {
 public:
  /// Some have come, at least one, valid during the call.
  virtual void bytes(std::span<const std::byte> bytes) noexcept = 0;
  /// The port, which took less than it was given, takes more.
  virtual void writable() noexcept = 0;
  /// Unplugged, hung up, broken: called once, and nothing after. `reason` is a sentence for a person.
  virtual void lost(std::string_view reason) noexcept = 0;

 protected:
  SerialUser() = default;
  SerialUser(const SerialUser&) = default;
  SerialUser(SerialUser&&) = default;
  SerialUser& operator=(const SerialUser&) = default;
  SerialUser& operator=(SerialUser&&) = default;
  ~SerialUser() = default;
};

/// Pumps bytes, and knows nothing of frames: a serial::SerialLink does. Closed by its destructor.
/// Lives on its loop's thread, and must not outlive the loop.
class SerialPort {
 public:
  /// Opens a device, raw: eight bits, no parity, one stop bit, no flow control. `baud`: bits a second, one of the system's
  /// rates, e.g. 115200. `user` must outlive this. Throws Error.
  SerialPort(Loop& loop, const std::string& path, std::uint32_t baud, SerialUser& user);
  /// Takes an open descriptor over, as it is. Throws Error.
  SerialPort(Loop& loop, int descriptor, SerialUser& user);
  ~SerialPort();
  SerialPort(const SerialPort&) = delete;
  SerialPort& operator=(const SerialPort&) = delete;
  SerialPort(SerialPort&&) = delete;
  SerialPort& operator=(SerialPort&&) = delete;

  /// Takes up to all of the bytes, without waiting; the answer: how many. If fewer, SerialUser::writable() follows, unless the
  /// port is lost.
  std::size_t write(std::span<const std::byte> bytes) noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace popsgd::net
