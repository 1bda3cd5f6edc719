// What a device has of its own on Linux: the time, random bytes, the service manager.
#include "device/clock.h"
#include "device/entropy.h"
#include "device/notify.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

using popsgd::Status;
using popsgd::device::KernelEntropy;
using popsgd::device::MonotonicClock;
using popsgd::device::Notify;

TEST_CASE("the clock counts milliseconds and does not go back") {
  MonotonicClock clock;
  const popsgd::Time start = clock.now();
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  const std::int32_t slept = clock.now().since(start);
  CHECK(slept >= 29);
  CHECK(slept < 10'000);
}

TEST_CASE("the kernel's entropy is not the same twice, and fills all it is given") {
  KernelEntropy entropy;
  std::array<std::array<std::byte, 1000>, 2> bytes{};
  for (auto& some : bytes) REQUIRE(entropy.fill(some) == Status::ok);
  CHECK(bytes[0] != bytes[1]);
  // 1000 bytes: each value is missing with probability 2%; the last 100 are all zero with 256^-100.
  const auto tail = std::span(bytes[0]).last(100);
  CHECK(std::ranges::any_of(tail, [](std::byte b) { return b != std::byte{0}; }));
  CHECK(entropy.fill({}) == Status::ok);
}

int calls = 0;

TEST_CASE("entropy that comes in pieces, with signals between, is whole") {
  calls = 0;
  KernelEntropy entropy([](void* into, std::size_t length, unsigned) -> ssize_t {
    if (++calls % 2 == 0) {
      errno = EINTR;
      return -1;
    }
    const std::size_t count = std::min<std::size_t>(length, 3);
    std::fill_n(static_cast<char*>(into), count, 'x');
    return static_cast<ssize_t>(count);
  });
  std::array<std::byte, 10> bytes{};
  CHECK(entropy.fill(bytes) == Status::ok);
  CHECK(std::ranges::count(bytes, std::byte{'x'}) == 10);
  CHECK(calls == 7);
}

TEST_CASE("a kernel without entropy is told, not waited for") {
  KernelEntropy none([](void*, std::size_t, unsigned) -> ssize_t {
    errno = ENOSYS;
    return -1;
  });
  KernelEntropy dry([](void*, std::size_t, unsigned) -> ssize_t { return 0; });
  std::array<std::byte, 4> bytes{};
  CHECK(none.fill(bytes) == Status::no_entropy);
  CHECK(dry.fill(bytes) == Status::no_entropy);
}

/// A service manager's end of the socket; `name` as in $NOTIFY_SOCKET.
class Manager {
 public:
  explicit Manager(const std::string& name) : name_(name), socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::ranges::copy(name, at.sun_path);
    if (name.front() == '@') at.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&at), length) == 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  ~Manager() {
    ::close(socket_);
    if (name_.front() == '/') ::unlink(name_.c_str());
    for (const char* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(variable);
  }

  /// The next datagram; nothing if there is none.
  [[nodiscard]] std::optional<std::string> heard() const {
    std::array<char, 256> bytes{};
    const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count < 0) return std::nullopt;
    return std::string(bytes.data(), static_cast<std::size_t>(count));
  }

 private:
  std::string name_;
  int socket_;
};

std::string process() {
  return std::to_string(::getpid());
}

TEST_CASE("the service manager hears that the program is ready, how it is, that it lives and that it ends") {
  for (const std::string& name : {"/tmp/popsgd-notify-" + process(), "@popsgd-notify-" + process()}) {
    CAPTURE(name);
    const Manager manager(name);
    const Notify notify;
    notify.ready();
    notify.status("12 peers\nREADY=0");
    notify.alive();
    notify.stopping();
    CHECK(manager.heard() == "READY=1");
    CHECK(manager.heard() == "STATUS=12 peers READY=0");
    CHECK(manager.heard() == "WATCHDOG=1");
    CHECK(manager.heard() == "STOPPING=1");
    CHECK(manager.heard() == std::nullopt);
    CHECK(notify.alive_every() == std::nullopt);
  }
}

TEST_CASE("the watchdog is fed twice as often as it asks, if it watches this process") {
  const Manager manager("@popsgd-watchdog-" + process());
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  CHECK(Notify().alive_every() == std::chrono::seconds(15));
  ::setenv("WATCHDOG_PID", process().c_str(), 1);
  CHECK(Notify().alive_every() == std::chrono::seconds(15));
  ::setenv("WATCHDOG_USEC", "1000", 1);
  CHECK(Notify().alive_every() == std::chrono::milliseconds(1));
  ::setenv("WATCHDOG_PID", "1", 1);
  CHECK(Notify().alive_every() == std::nullopt);
  ::unsetenv("WATCHDOG_PID");
  for (const char* nonsense : {"", "0", "-5", "30s", "99999999999999999999"}) {
    CAPTURE(nonsense);
    ::setenv("WATCHDOG_USEC", nonsense, 1);
    CHECK(Notify().alive_every() == std::nullopt);
  }
}

TEST_CASE("without a service manager, or with one that has gone, nothing happens") {
  ::unsetenv("NOTIFY_SOCKET");
  const Notify alone;
  alone.ready();
  alone.alive();
  CHECK(alone.alive_every() == std::nullopt);
  for (const std::string& name :
       {std::string("@popsgd-nobody"), std::string("vsock:2:1"), std::string(200, '/')}) {
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    const Notify lonely;
    lonely.ready();
    lonely.stopping();
  }
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
