// Every kind of link there is, with its peer, for tests that all of them must pass.
#pragma once

#include "links.h"
#include "serial_wire.h"

#include <popsgd/asio/loop.h>
#include <popsgd/asio/serial_port.h>
#include <popsgd/asio/tcp.h>
#include <popsgd/asio/udp.h>
#include <popsgd/loopback/loopback.h>
#include <popsgd/serial/serial_link.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <termios.h>

namespace popsgd::test {

/// Two links, each the other's peer, and what makes them go.
class Path {
 public:
  Path() = default;
  virtual ~Path() = default;
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;
  Path(Path&&) = delete;
  Path& operator=(Path&&) = delete;

  virtual Diary& a() = 0;
  virtual Diary& b() = 0;
  /// Lets things happen until `done`, or for 20 seconds.
  virtual bool run_until(const std::function<bool()>& done) = 0;
  /// Whether the peer learns that a link was closed.
  [[nodiscard]] virtual bool tells_the_end() const = 0;
  /// Whether frames that are sent without a pause meet a limit.
  [[nodiscard]] virtual bool holds_back() const { return true; }

  void settle() {
    int rounds = 0;
    static_cast<void>(run_until([&rounds] { return ++rounds > 20; }));
  }
};

/// Of links that need nobody but their owner.
class SteppedPath : public Path {
 public:
  bool run_until(const std::function<bool()>& done) override {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      step();
    }
    return true;
  }
  Diary& a() override { return a_; }
  Diary& b() override { return b_; }

 protected:
  virtual void step() = 0;

  Diary a_{};
  Diary b_{};
};

class LoopbackPath final : public SteppedPath {
 public:
  explicit LoopbackPath(std::uint16_t mtu)
      : memory_(2 * loopback::Loopback::memory_size(mtu, 40) / 8 + 1),
        pair_(mtu, std::as_writable_bytes(std::span(memory_))) {
    pair_.open(a_, b_);
    a_.link = &pair_.first();
    b_.link = &pair_.second();
  }
  [[nodiscard]] bool tells_the_end() const override { return true; }

 private:
  void step() override { pair_.deliver(); }

  std::vector<std::uint64_t> memory_;
  loopback::Loopback pair_;
};

/// Wires that take a few bytes at a time.
class WirePath final : public SteppedPath {
 public:
  explicit WirePath(std::uint16_t mtu) : first_(mtu), second_(mtu) {
    first_.link.open(a_);
    second_.link.open(b_);
    a_.link = &first_.link;
    b_.link = &second_.link;
    first_.room = second_.room = 0;
  }
  [[nodiscard]] bool tells_the_end() const override { return false; }

 private:
  void step() override {
    for (const auto& [from, to] : {std::pair{&first_, &second_}, std::pair{&second_, &first_}}) {
      from->room = 97;
      from->link.pump();
      from->room = 0;
      to->link.feed(std::exchange(from->written, {}));
    }
  }

  SerialWire first_;
  SerialWire second_;
};

/// Of links that live on a loop.
class LoopPath : public Path {
 public:
  bool run_until(const std::function<bool()>& done) override { return test::run_until(loop_, done); }

 protected:
  net::Loop loop_{};
};

/// A serial link over one end of a PTY.
class PtyEnd final : public net::SerialUser {
 public:
  explicit PtyEnd(std::uint16_t mtu)
      : memory_(serial::SerialLink::memory_size(mtu, 4) / 8 + 1),
        link(mtu, {&write, this}, std::as_writable_bytes(std::span(memory_))) {}

  void bytes(std::span<const std::byte> bytes) noexcept override { link.feed(bytes); }
  void writable() noexcept override { link.pump(); }
  void lost(std::string_view) noexcept override {
    link.close();
    link.pump();
  }

  std::unique_ptr<net::SerialPort> port{};

 private:
  static std::size_t write(void* context, std::span<const std::byte> bytes) noexcept {
    return static_cast<PtyEnd*>(context)->port->write(bytes);
  }
  std::vector<std::uint64_t> memory_;

 public:
  serial::SerialLink link;
};

class PtyPath final : public LoopPath {
 public:
  explicit PtyPath(std::uint16_t mtu) : first_(mtu), second_(mtu) {
    const int pty = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (pty < 0 || ::grantpt(pty) != 0 || ::unlockpt(pty) != 0) std::abort();
    second_.port = std::make_unique<net::SerialPort>(loop_, ::ptsname(pty), 115200, second_);
    first_.port = std::make_unique<net::SerialPort>(loop_, pty, first_);
    first_.link.open(a_);
    second_.link.open(b_);
    a_.link = &first_.link;
    b_.link = &second_.link;
  }
  bool run_until(const std::function<bool()>& done) override {
    return LoopPath::run_until([&] {
      for (PtyEnd* end : {&first_, &second_}) {
        if (end->link.over()) end->link.pump();
      }
      return done();
    });
  }
  Diary& a() override { return a_; }
  Diary& b() override { return b_; }
  [[nodiscard]] bool tells_the_end() const override { return false; }

 private:
  Diary a_{};
  Diary b_{};
  PtyEnd first_;
  PtyEnd second_;
};

template <typename Transport, typename Options>
class SocketPath final : public LoopPath {
 public:
  SocketPath(const Address& at, const Options& options)
      : listens_(loop_, options, called_), dials_(loop_, options, caller_) {
    dials_.dial(listens_.listen(at));
    const bool opened = run_until([this] { return caller_.open() == 1; }) &&
                        caller_[0].link->send(frame_of(1)) == Status::ok &&
                        run_until([this] { return called_.open() == 1 && called_[0].frames.size() == 1; });
    if (!opened) std::abort();
    called_[0].frames.clear();
  }
  Diary& a() override { return caller_[0]; }
  Diary& b() override { return called_[0]; }
  [[nodiscard]] bool tells_the_end() const override { return is_tcp; }
  [[nodiscard]] bool holds_back() const override { return is_tcp; }

 private:
  static constexpr bool is_tcp = std::is_same_v<Transport, net::TcpTransport>;
  Host called_{};
  Host caller_{};
  Transport listens_;
  Transport dials_;
};

struct PathKind {
  const char* name;
  std::function<std::unique_ptr<Path>()> make;
};

inline std::vector<PathKind> every_path() {
  using Tcp = SocketPath<net::TcpTransport, net::TcpOptions>;
  using Udp = SocketPath<net::UdpTransport, net::UdpOptions>;
  net::UdpOptions automatic;
  automatic.mtu = net::UdpOptions::automatic;
  return {{"loopback", [] { return std::make_unique<LoopbackPath>(std::uint16_t{65535}); }},
          {"serial over a pipe", [] { return std::make_unique<WirePath>(std::uint16_t{1200}); }},
          {"serial over a PTY", [] { return std::make_unique<PtyPath>(std::uint16_t{1200}); }},
          {"TCP, IPv4", [] { return std::make_unique<Tcp>(kV4, net::TcpOptions{}); }},
          {"TCP, IPv6", [] { return std::make_unique<Tcp>(kV6, net::TcpOptions{}); }},
          {"UDP, IPv4", [] { return std::make_unique<Udp>(kV4, net::UdpOptions{}); }},
          {"UDP, IPv6", [] { return std::make_unique<Udp>(kV6, net::UdpOptions{}); }},
          {"UDP, IPv4, automatic MTU", [automatic] { return std::make_unique<Udp>(kV4, automatic); }}};
}

}  // namespace popsgd::test
