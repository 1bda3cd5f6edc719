// One peer: a handshake, then frames as records.
#pragma once

#include "context_state.h"

#include <popsgd/secure/gate.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::secure {

class SecureLink final : public Link, public LinkUser {
 public:
  enum class Stage : std::uint8_t {
    free,
    waiting,   // for the first bytes of a peer that called; nothing is spent on it
    greeting,  // the handshake
    open,
    over,  // the link within is closed, and will say so
  };

  SecureLink() = default;
  SecureLink(const SecureLink&) = delete;
  SecureLink& operator=(const SecureLink&) = delete;
  SecureLink(SecureLink&&) = delete;
  SecureLink& operator=(SecureLink&&) = delete;
  ~SecureLink();

  void begin(Gate::State& gate, Link& inner, const Address& remote, bool dialled) noexcept;
  void poll(Time now) noexcept;
  [[nodiscard]] Time deadline() const noexcept;
  /// Turns the peer away, or gives the link up.
  void end(Refusal why) noexcept;

  [[nodiscard]] Stage stage() const noexcept { return stage_; }
  [[nodiscard]] bool dialled() const noexcept { return dialled_; }
  [[nodiscard]] Time since() const noexcept { return since_; }

  // to who uses it
  [[nodiscard]] LinkTraits traits() const noexcept override;
  [[nodiscard]] Status send(std::span<const std::byte> frame) noexcept override;
  void close() noexcept override;

  // of the link within
  void received(Link& link, std::span<const std::byte> frame) noexcept override;
  void writable(Link& link) noexcept override;
  void closed(Link& link) noexcept override;

 private:
  static int write(void* self, const unsigned char* bytes, std::size_t size) noexcept;
  static int read(void* self, unsigned char* into, std::size_t size) noexcept;
  static void set_timer(void* self, std::uint32_t intermediate, std::uint32_t final) noexcept;
  static int get_timer(void* self) noexcept;

  bool let_in(std::span<const std::byte> bytes) noexcept;
  bool yields(std::span<const std::byte> hello) noexcept;
  bool greet(bool as_client) noexcept;
  void resume() noexcept;
  void shake_hands() noexcept;
  void opened() noexcept;
  void hand_over() noexcept;
  void release() noexcept;
  [[nodiscard]] Context::State& context() const noexcept;

  Gate::State* gate_ = nullptr;
  Link* inner_ = nullptr;
  LinkUser* user_ = nullptr;
  Address remote_{};
  Time since_{};  // admitted, then opened
  std::span<const std::byte> in_{};
  std::uint32_t records_ = 0;
  Time intermediate_{};
  Time final_{};
  std::array<std::byte, 32> random_{};  // of our hello
  Stage stage_ = Stage::free;
  Refusal refusal_ = Refusal::none;
  bool dialled_ = false;
  bool client_ = false;
  bool datagrams_ = false;
  bool timer_ = false;
  bool full_ = false;      // the user waits for writable()
  bool too_long_ = false;  // the path has become narrower
  bool no_room_ = false;   // the link within did not take a datagram
  bool begun_ = false;     // ssl_ is in use
  mbedtls_ssl_context ssl_{};
};

}  // namespace popsgd::secure
