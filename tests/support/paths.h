// Every kind of link there is, with its peer, for tests that all of them must pass.
#pragma once

#include "links.h"
#include "secure_pair.h"
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

/// Hands on what a link brings to a user who comes later than the link.
class Plug final : public LinkUser {
 public:
  void received(Link& link, std::span<const std::byte> frame) noexcept override { to->received(link, frame); }
  void writable(Link& link) noexcept override { to->writable(link); }
  void closed(Link& link) noexcept override { to->closed(link); }
  LinkUser* to = nullptr;
};

/// Two gates that are to meet.
struct Gates {
  explicit Gates(const secure::Options& options = {}) : caller(clock, 1, options), called(clock, 2, options) {
    for (Guarded* one : {&caller, &called}) {
      if (one->context.use(swarm_keys()) != Status::ok) std::abort();
    }
  }
  void poll() {
    caller.gate.poll();
    called.gate.poll();
  }
  [[nodiscard]] bool met() { return caller.in() && called.in(); }

  RealClock clock{};
  Guarded caller;
  Guarded called;
};

/// Secure links over a pair of links in memory.
template <typename Pair>
class SecurePath : public Path {
 public:
  explicit SecurePath(const secure::Options& options = {}) : gates_(options) {
    pair_.open(first_, second_);
    second_.to = gates_.called.gate.admit(pair_.second(), {}, false);
    first_.to = gates_.caller.gate.admit(pair_.first(), {}, true);
    if (!run_until([this] { return gates_.met(); })) std::abort();
    pair_.met();
  }
  bool run_until(const std::function<bool()>& done) override {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      pair_.step();
      gates_.poll();
    }
    return true;
  }
  Diary& a() override { return *gates_.caller.last(); }
  Diary& b() override { return *gates_.called.last(); }
  [[nodiscard]] bool tells_the_end() const override { return Pair::tells_the_end; }

 private:
  Pair pair_{};
  Plug first_{};
  Plug second_{};
  Gates gates_;
};

struct LoopbackPair {
  static constexpr bool tells_the_end = true;
  void open(LinkUser& a, LinkUser& b) { pair.open(a, b); }
  Link& first() { return pair.first(); }
  Link& second() { return pair.second(); }
  void met() {}
  void step() { pair.deliver(); }

  std::vector<std::uint64_t> memory =
      std::vector<std::uint64_t>(2 * loopback::Loopback::memory_size(2000, 40) / 8 + 1);
  loopback::Loopback pair{2000, std::as_writable_bytes(std::span(memory))};
};

/// Wires that lose one byte in a thousand until the handshake is over: what is lost then, nobody sends again.
struct WirePair {
  static constexpr bool tells_the_end = false;
  void open(LinkUser& a, LinkUser& b) {
    one.link.open(a);
    other.link.open(b);
    one.room = other.room = 0;
  }
  Link& first() { return one.link; }
  Link& second() { return other.link; }
  void met() { loses = false; }
  void step() {
    for (const auto& [from, to] : {std::pair{&one, &other}, std::pair{&other, &one}}) {
      from->room = 97;
      from->link.pump();
      from->room = 0;
      auto bytes = std::exchange(from->written, {});
      if (loses) std::erase_if(bytes, [this](std::byte) { return random.below(1000) == 0; });
      to->link.feed(bytes);
    }
  }

  SerialWire one{1200};
  SerialWire other{1200};
  Random random{1, Purpose::data};
  bool loses = true;
};

/// Takes all links of a transport to a gate.
class GatedHost final : public net::Listener {
 public:
  explicit GatedHost(secure::Gate& gate) : gate_(gate) {}
  LinkUser& opened(Link& link, const Address& remote, bool dialled) noexcept override {
    if (LinkUser* const user = gate_.admit(link, remote, dialled)) return *user;
    link.close();
    return nobody_;
  }
  void dial_failed(const Address&, std::string_view) noexcept override {}

 private:
  secure::Gate& gate_;
  Diary nobody_{};
};

template <typename Transport, typename Options>
class SecureSocketPath final : public LoopPath {
 public:
  explicit SecureSocketPath(const Options& options)
      : called_(gates_.called.gate),
        caller_(gates_.caller.gate),
        listens_(loop_, options, called_),
        dials_(loop_, options, caller_) {
    dials_.dial(listens_.listen(kV4));
    if (!run_until([this] { return gates_.met(); })) std::abort();
  }
  bool run_until(const std::function<bool()>& done) override {
    return LoopPath::run_until([&] {
      gates_.poll();
      return done();
    });
  }
  Diary& a() override { return *gates_.caller.last(); }
  Diary& b() override { return *gates_.called.last(); }
  [[nodiscard]] bool tells_the_end() const override { return true; }
  [[nodiscard]] bool holds_back() const override { return std::is_same_v<Transport, net::TcpTransport>; }

 private:
  Gates gates_{};
  GatedHost called_;
  GatedHost caller_;
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
  using SecureTcp = SecureSocketPath<net::TcpTransport, net::TcpOptions>;
  using SecureUdp = SecureSocketPath<net::UdpTransport, net::UdpOptions>;
  net::UdpOptions automatic;
  automatic.mtu = net::UdpOptions::automatic;
  return {{"loopback", [] { return std::make_unique<LoopbackPath>(std::uint16_t{65535}); }},
          {"serial over a pipe", [] { return std::make_unique<WirePath>(std::uint16_t{1200}); }},
          {"serial over a PTY", [] { return std::make_unique<PtyPath>(std::uint16_t{1200}); }},
          {"TCP, IPv4", [] { return std::make_unique<Tcp>(kV4, net::TcpOptions{}); }},
          {"TCP, IPv6", [] { return std::make_unique<Tcp>(kV6, net::TcpOptions{}); }},
          {"UDP, IPv4", [] { return std::make_unique<Udp>(kV4, net::UdpOptions{}); }},
          {"UDP, IPv6", [] { return std::make_unique<Udp>(kV6, net::UdpOptions{}); }},
          {"UDP, IPv4, automatic MTU", [automatic] { return std::make_unique<Udp>(kV4, automatic); }},
          {"TLS over loopback", [] { return std::make_unique<SecurePath<LoopbackPair>>(); }},
          {"DTLS over a lossy wire",
           [] { return std::make_unique<SecurePath<WirePair>>(secure::Options{.cookies = false}); }},
          {"TLS over TCP", [] { return std::make_unique<SecureTcp>(net::TcpOptions{}); }},
          {"DTLS over UDP", [] { return std::make_unique<SecureUdp>(net::UdpOptions{}); }},
          {"DTLS over UDP, automatic MTU", [automatic] { return std::make_unique<SecureUdp>(automatic); }}};
}

}  // namespace popsgd::test
