// One end of TLS or DTLS by mbedTLS as it comes, which does what the test wants; and a member that it speaks with.
#pragma once

#include "certificates.h"
#include "secure_pair.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include <mbedtls/ssl.h>

namespace popsgd::test {

/// Has a key, as any member; else it may be of any kind.
class Stranger {
 public:
  using Configure = std::function<void(mbedtls_ssl_config&)>;

  Stranger(bool client, bool reliable, const secure::EpochKeys& keys, const Configure& configure = {})
      : reliable_(reliable), keys_(keys) {
    mbedtls_ssl_config_init(&config_);
    mbedtls_ssl_init(&ssl);
    must(mbedtls_ssl_config_defaults(&config_, client ? MBEDTLS_SSL_IS_CLIENT : MBEDTLS_SSL_IS_SERVER,
                                     reliable ? MBEDTLS_SSL_TRANSPORT_STREAM : MBEDTLS_SSL_TRANSPORT_DATAGRAM,
                                     MBEDTLS_SSL_PRESET_DEFAULT));
    mbedtls_ssl_conf_rng(&config_, draw, &random_);
    must(mbedtls_ssl_conf_psk(&config_, reinterpret_cast<const unsigned char*>(keys_.psk.data()),
                              keys_.psk.size(), reinterpret_cast<const unsigned char*>(keys_.identity.data()),
                              keys_.identity.size()));
    static const mbedtls_ecp_group_id x25519[] = {MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_NONE};
    mbedtls_ssl_conf_curves(&config_, x25519);
    if (!client) mbedtls_ssl_conf_dtls_cookies(&config_, nullptr, nullptr, nullptr);
    if (configure) configure(config_);
    must(mbedtls_ssl_setup(&ssl, &config_));
    mbedtls_ssl_set_bio(&ssl, this, write, read, nullptr);
    if (!reliable) mbedtls_ssl_set_timer_cb(&ssl, this, set_timer, get_timer);
  }
  ~Stranger() {
    mbedtls_ssl_free(&ssl);
    mbedtls_ssl_config_free(&config_);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  Stranger(Stranger&&) = delete;
  Stranger& operator=(Stranger&&) = delete;

  /// Goes on with the handshake, then reads what there is.
  void turn() {
    if (!done) error = mbedtls_ssl_handshake(&ssl);
    done = done || error == 0;
    while (done) {
      unsigned char frame[20'000];
      error = mbedtls_ssl_read(&ssl, frame, sizeof(frame));
      if (error <= 0) return;
      const auto bytes = std::as_bytes(std::span(frame)).first(static_cast<std::size_t>(error));
      frames.emplace_back(bytes.begin(), bytes.end());
    }
  }
  void say(std::span<const std::byte> frame) {
    must(mbedtls_ssl_write(&ssl, reinterpret_cast<const unsigned char*>(frame.data()), frame.size()));
  }

  mbedtls_ssl_context ssl{};
  bool done = false;  ///< the handshake is
  int error = 0;
  std::vector<Bytes> said{};
  std::deque<Bytes> heard{};
  std::vector<Bytes> frames{};

 private:
  static int write(void* self, const unsigned char* bytes, std::size_t size) {
    const auto said = std::as_bytes(std::span(bytes, size));
    static_cast<Stranger*>(self)->said.emplace_back(said.begin(), said.end());
    return static_cast<int>(size);
  }
  static int read(void* self, unsigned char* into, std::size_t size) {
    auto& stranger = *static_cast<Stranger*>(self);
    if (stranger.heard.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
    Bytes& first = stranger.heard.front();
    const std::size_t count = std::min(size, first.size());
    std::copy_n(first.begin(), count, reinterpret_cast<std::byte*>(into));
    first.erase(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(count));
    if (first.empty() || !stranger.reliable_) stranger.heard.pop_front();
    return static_cast<int>(count);
  }
  // No time passes.
  static void set_timer(void* self, std::uint32_t, std::uint32_t final) {
    static_cast<Stranger*>(self)->timer_ = final != 0;
  }
  static int get_timer(void* self) { return static_cast<Stranger*>(self)->timer_ ? 0 : -1; }

  bool reliable_;
  bool timer_ = false;
  secure::EpochKeys keys_;
  std::mt19937 random_{7};
  mbedtls_ssl_config config_{};
};

/// A member, and the stranger that calls it, or that it calls.
struct Encounter {
  Encounter(bool member_calls, bool is_reliable, const Stranger::Configure& configure = {},
            const secure::EpochKeys& keys = swarm_keys().current)
      : reliable(is_reliable), member(clock, 2), stranger(!member_calls, is_reliable, keys, configure) {
    if (member.context.use(swarm_keys()) != Status::ok) std::abort();
    open(member_calls);
  }
  void open(bool member_calls) {
    link = std::make_unique<HandLink>(
        LinkTraits{reliable ? std::uint16_t{65535} : std::uint16_t{1200}, reliable});
    link->user = member.gate.admit(*link, strangers_address, member_calls);
  }
  /// Until neither has anything to say.
  void run() {
    for (int idle = 0; idle < 2; ++idle) {
      stranger.turn();
      for (const Bytes& bytes : std::exchange(stranger.said, {})) {
        if (!reliable && link->over) open(false);
        link->bring(bytes);
        idle = 0;
      }
      for (Bytes& bytes : std::exchange(link->sent, {})) {
        stranger.heard.push_back(std::move(bytes));
        idle = 0;
      }
      link->settle();
    }
  }

  bool reliable;
  HandClock clock{};
  Address strangers_address = v4_address({10, 0, 0, 9}, 999);
  Guarded member;
  Stranger stranger;
  std::unique_ptr<HandLink> link{};
};

}  // namespace popsgd::test
