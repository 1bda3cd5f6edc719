// Links over TCP, by lwIP: on the wire as those of transport/asio, 4 bytes of length, little-endian, before each frame.
#pragma once

#include <popsgd/address.h>
#include <popsgd/link.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

struct tcp_pcb;
struct pbuf;

namespace popsgd::cortex_m {

class TcpTransport;

/// Whoever wants links. Called from within the turn() of transport and Ethernet, and dial_failed() also from within dial().
class TcpListener {
 public:
  /// Who uses it; must stay until the link is closed.
  virtual LinkUser& opened(Link& link, const Address& remote, bool dialled) noexcept = 0;
  /// Nobody was reached there. After dial(), this or opened() follows, once.
  virtual void dial_failed(const Address& remote) noexcept = 0;

 protected:
  TcpListener() = default;
  TcpListener(const TcpListener&) = default;
  TcpListener(TcpListener&&) = default;
  TcpListener& operator=(const TcpListener&) = default;
  TcpListener& operator=(TcpListener&&) = default;
  ~TcpListener() = default;
};

class TcpLink final : public Link {
 public:
  /// Bytes of the longest frame, either way; a peer that announces more is closed. Room for what a device says, with a record of TLS
  /// around it.
  static constexpr std::uint16_t kMtu = 512;
  static constexpr std::size_t kPrefix = 4;

  TcpLink() = default;
  TcpLink(const TcpLink&) = delete;
  TcpLink& operator=(const TcpLink&) = delete;
  TcpLink(TcpLink&&) = delete;
  TcpLink& operator=(TcpLink&&) = delete;
  ~TcpLink() = default;

  [[nodiscard]] LinkTraits traits() const noexcept override { return {kMtu, true}; }
  [[nodiscard]] Status send(std::span<const std::byte> frame) noexcept override;
  void close() noexcept override;

 private:
  friend class TcpTransport;
  enum class State : std::uint8_t { free, dialling, open, over };

  void attach(TcpTransport& transport, tcp_pcb* connection, const Address& remote) noexcept;
  void detach() noexcept;
  void lost() noexcept;
  void take(const pbuf& packet) noexcept;
  void take(std::span<const std::byte> bytes) noexcept;
  [[nodiscard]] std::size_t length() const noexcept;  // of the frame that is coming; its prefix is there

  TcpTransport* transport_ = nullptr;
  tcp_pcb* connection_ = nullptr;  // null: lwIP has given it up
  LinkUser* user_ = nullptr;       // null: not open yet
  Address remote_{};
  State state_ = State::free;
  bool full_ = false;  // the user waits for writable()

  // Of the frame that is coming.
  std::array<std::byte, kPrefix> prefix_{};
  std::size_t have_ = 0;  // bytes, the prefix among them
  alignas(8) std::array<std::byte, kMtu> frame_{};
};

/// Dials and listens. Needs an Ethernet that has begun, and must outlive whoever calls back.
class TcpTransport {
 public:
  static constexpr std::size_t kLinks = 4;

  explicit TcpTransport(TcpListener& listener) noexcept : listener_(listener) {}
  TcpTransport(const TcpTransport&) = delete;
  TcpTransport& operator=(const TcpTransport&) = delete;
  TcpTransport(TcpTransport&&) = delete;
  TcpTransport& operator=(TcpTransport&&) = delete;
  ~TcpTransport() = default;

  /// Waits for peers at this port. false: lwIP has no room.
  [[nodiscard]] bool listen(std::uint16_t port) noexcept;
  /// Calls a peer, of IPv4.
  void dial(const Address& remote) noexcept;
  /// Tells of what has become of links; to be called after Ethernet::turn().
  void turn() noexcept;

 private:
  friend class TcpLink;
  struct Calls;  // what lwIP calls

  [[nodiscard]] TcpLink* free() noexcept;

  TcpListener& listener_;
  std::array<TcpLink, kLinks> links_{};
};

}  // namespace popsgd::cortex_m
