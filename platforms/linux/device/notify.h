// What a service tells systemd: the protocol of sd_notify(3), without its library.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace popsgd::device {

/// Sends datagrams to $NOTIFY_SOCKET. Where there is none, because no service manager started the program, every call does
/// nothing. A datagram that cannot be sent is lost: a service must run without its manager, too.
class Notify {
 public:
  /// Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID.
  Notify();
  ~Notify();
  Notify(const Notify&) = delete;
  Notify& operator=(const Notify&) = delete;
  Notify(Notify&&) = delete;
  Notify& operator=(Notify&&) = delete;

  /// The program serves: READY=1.
  void ready() const { send("READY=1"); }
  /// The program was asked to end, and does: STOPPING=1.
  void stopping() const { send("STOPPING=1"); }
  /// One line for `systemctl status`. A line's end within it becomes a space: else it would be another assignment.
  void status(std::string_view line) const;
  /// The program is alive: WATCHDOG=1. To be called by the loop that does the work, not beside it.
  void alive() const { send("WATCHDOG=1"); }

  /// How often alive() is to be called: half of what the manager waits. Nothing: it does not watch this process.
  [[nodiscard]] std::optional<std::chrono::milliseconds> alive_every() const { return alive_every_; }

 private:
  void send(std::string_view message) const;

  std::string address_;  // as connect() takes it: a path, or 0 and an abstract name; empty: none
  int socket_ = -1;
  std::optional<std::chrono::milliseconds> alive_every_;
};

}  // namespace popsgd::device
