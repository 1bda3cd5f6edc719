#include "device/notify.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace popsgd::device {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value <= 0) return std::nullopt;
  return value;
}

std::optional<std::chrono::milliseconds> watchdog() {
  const std::string_view process = environment("WATCHDOG_PID");
  if (!process.empty() && number(process) != ::getpid()) return std::nullopt;  // meant for our parent
  const auto limit = number(environment("WATCHDOG_USEC"));
  if (!limit) return std::nullopt;
  return std::max(std::chrono::milliseconds(1), std::chrono::milliseconds(*limit / 2000));
}

}  // namespace

Notify::Notify() : address_(environment("NOTIFY_SOCKET")) {
  const bool known = address_.starts_with('/') || address_.starts_with('@');  // not: vsock:
  if (!known || address_.size() >= sizeof(sockaddr_un::sun_path)) return;
  if (address_.front() == '@') address_.front() = '\0';
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return;
  const timeval patience{.tv_sec = 1,
                         .tv_usec = 0};  // a manager that does not read must not hold us up for long
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  alive_every_ = watchdog();
}

Notify::~Notify() {
  if (socket_ >= 0) ::close(socket_);
}

void Notify::status(std::string_view line) const {
  std::string message = "STATUS=" + std::string(line);
  std::ranges::replace(message, '\n', ' ');
  send(message);
}

void Notify::send(std::string_view message) const {
  if (socket_ < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::ranges::copy(address_, to.sun_path);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  // Not connected: the manager may have been started anew since.
  ::sendto(socket_, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to),
           length);
}

}  // namespace popsgd::device
