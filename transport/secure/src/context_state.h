// What a Context is made of.
#pragma once

#include "mbedtls.h"

#include <popsgd/address.h>
#include <popsgd/link.h>
#include <popsgd/secure/context.h>

#include <array>
#include <cstddef>
#include <span>

namespace popsgd::secure {

inline constexpr std::size_t kLongestFrame = 16384;  // of TLS: RFC 5246, 6.2.1

/// A session with a peer that was dialled.
struct Remembered {
  Address peer{};
  Time at{};
  bool used = false;
  bool has_session = false;
  bool older = false;  ///< the peer did not know the current epoch's key
  mbedtls_ssl_session session{};
};

/// What came of a datagram of a stranger.
enum class Verdict : std::uint8_t {
  ignored,   // no hello
  answered,  // by a cookie, which is to come back
  known,     // a hello, with the cookie that it was given
};

struct Context::State {
  State(Entropy& entropy_source, Clock& time, const Options& with) noexcept;
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  State(State&&) = delete;
  State& operator=(State&&) = delete;

  [[nodiscard]] Status seed() noexcept;
  /// Sets all up anew for `suites`, which must stay.
  [[nodiscard]] Status configure(const int* suites) noexcept;
  [[nodiscard]] Status configure(mbedtls_ssl_config& config, int endpoint, int transport,
                                 const int* suites) noexcept;
  [[nodiscard]] const mbedtls_ssl_config& config(bool client, bool datagrams, bool older) const noexcept;
  [[nodiscard]] Status load(const Certificates& certificates) noexcept;
  [[nodiscard]] Status certify(mbedtls_ssl_config& config) noexcept;

  /// A stranger's datagram, by the one session that all strangers share, and which keeps nothing of them.
  [[nodiscard]] Verdict ask(Link& stranger, const Address& remote,
                            std::span<const std::byte> datagram) noexcept;

  /// Null: nothing is known of the peer.
  [[nodiscard]] Remembered* find(const Address& peer) noexcept;
  /// The peer's place, or that of the one longest ago. Null: nothing is to be remembered.
  [[nodiscard]] Remembered* place_for(const Address& peer) noexcept;
  void forget_sessions() noexcept;

  static int draw(void* self, unsigned char* into, std::size_t size) noexcept;
  static int find_psk(void* self, mbedtls_ssl_context* ssl, const unsigned char* identity,
                      std::size_t size) noexcept;
  static int write_cookie(void* self, unsigned char** at, unsigned char* end, const unsigned char* id,
                          std::size_t size) noexcept;
  static int check_cookie(void* self, const unsigned char* cookie, std::size_t length,
                          const unsigned char* id, std::size_t size) noexcept;
  static int verify(void* self, mbedtls_x509_crt* certificate, int depth, std::uint32_t* flags) noexcept;

  Entropy& entropy;
  Clock& clock;
  const Options options;
  bool certified = false;
  bool ready = false;
  EpochKeys current{};
  EpochKeys previous{};
  bool has_previous = false;

  mbedtls_ctr_drbg_context random{};
  bool seeded = false;
  // By what carries them: 0 a stream, 1 datagrams. A dialler's by its epoch, too: 0 current, 1 previous.
  std::array<std::array<mbedtls_ssl_config, 2>, 2> clients{};
  std::array<mbedtls_ssl_config, 2> servers{};
  mbedtls_ssl_cache_context cache{};
  mbedtls_ssl_cookie_ctx cookies{};
  mbedtls_ssl_context door{};
  bool cookie_is_right = false;

  mbedtls_x509_crt authority{};
  mbedtls_x509_crt own{};
  mbedtls_pk_context key{};
  std::array<char, 64> swarm{};
  std::uint32_t longest_days = 0;

  Remembered* remembered = nullptr;
  alignas(8) std::array<std::byte, kLongestFrame> frame{};  // that is being handed over
};

/// A peer's address as the cookie says it.
[[nodiscard]] std::array<unsigned char, 18> transport_id(const Address& peer) noexcept;
/// A datagram that begins a session: RFC 6347, 4.1 and 4.2.2.
[[nodiscard]] bool is_client_hello(std::span<const std::byte> datagram) noexcept;
/// Its random, 32 bytes.
[[nodiscard]] std::span<const std::byte, 32> random_of(std::span<const std::byte> client_hello) noexcept;

}  // namespace popsgd::secure
