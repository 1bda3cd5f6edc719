// What one member of a swarm needs to prove itself and to have others prove themselves: keys, randomness, what is remembered of
// sessions. Shared by all its secure links.
#pragma once

#include <popsgd/clock.h>
#include <popsgd/entropy.h>
#include <popsgd/secure/key_schedule.h>
#include <popsgd/status.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace popsgd::secure {

/// Who has the swarm's key is a member: TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256 over X25519.
struct SwarmKeys {
  EpochKeys current{};                  ///< with which this member dials
  std::optional<EpochKeys> previous{};  ///< accepted, too; and dialled with, where the current one is unknown
  /// False, for the smallest devices: TLS_PSK_WITH_CHACHA20_POLY1305_SHA256, without a key exchange. There is NO FORWARD SECRECY
  /// then: whoever records what is said today, and gets the swarm key at any later time, reads it all. Must be the same for
  /// all members.
  bool forward_secret = true;
};

/// Who has a certificate of the swarm's authority is a member: TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, both sides. All
/// keys on P-256, all signatures with SHA-256. The certificate's name is the swarm's, not the member's: it is a pseudonym, to
/// be replaced often.
struct Certificates {
  std::span<const std::byte> authority{};  ///< certificate; each is DER, or PEM with the 0 that ends it
  std::span<const std::byte> own{};  ///< certificate; with the extended usages serverAuth and clientAuth
  std::span<const std::byte> key{};  ///< its private key
  std::string_view swarm{};         ///< DNS name that each member's certificate must have, 1 to 63 characters
  std::uint32_t longest_days = 32;  ///< a certificate valid for longer is refused
};

struct Options {
  /// Peers over datagrams show first that they are where they say they are (RFC 6347, 4.2.1), and cost no memory before. False for
  /// a wire, on which nobody else can speak; saves the memory of the one who asks them. A hello ends the session there, as its peer was
  /// switched off and on and knows nothing of it.
  bool cookies = true;
  std::size_t remembered = 64;  ///< sessions, for each role, that can be resumed within `session_age`
  std::uint32_t session_age = 3'600'000;     ///< ms: then a link ends, and the next is of a new session
  std::uint32_t session_records = 1U << 20;  ///< records sent: as above
  std::uint32_t retransmit_first = 500;      ///< ms: of a handshake over datagrams; doubled
  std::uint32_t retransmit_last = 4'000;
};

/// All memory comes from mbedTLS' allocator: on a host that is the heap; where mbedTLS is built with
/// MBEDTLS_MEMORY_BUFFER_ALLOC_C, what use_memory() was given.
class Context {
 public:
  /// Both must outlive it.
  Context(Entropy& entropy, Clock& clock, const Options& options = {}) noexcept;
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  Context(Context&&) = delete;
  Context& operator=(Context&&) = delete;

  /// Needed before the first link; again at a new epoch: sessions that are remembered are then forgotten, links that are open
  /// live on, and handshakes under way go on with the new keys. no_room: no memory; there are no new links until it succeeds.
  /// no_entropy: the source has none.
  [[nodiscard]] Status use(const SwarmKeys& keys) noexcept;
  /// Needed before the first link, once. no_function: mbedTLS was built without certificates. invalid_field: a certificate, the key or the name cannot be read, or the key is not that
  /// of the certificate. Otherwise as above.
  [[nodiscard]] Status use(const Certificates& certificates) noexcept;

  struct State;  // of mbedTLS; for this library
  [[nodiscard]] State* state() noexcept { return state_; }

 private:
  State* state_;
};

/// Gives mbedTLS all the memory it will ever have: once, before anything else. no_function: it has a heap.
[[nodiscard]] Status use_memory(std::span<std::byte> memory) noexcept;

}  // namespace popsgd::secure
