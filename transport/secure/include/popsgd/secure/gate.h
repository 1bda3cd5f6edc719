// The way into the swarm: turns links of any transport into links whose peer is a member, and whose frames nobody else can read or
// change; or turns away who is none.
#pragma once

#include <popsgd/address.h>
#include <popsgd/link.h>
#include <popsgd/secure/context.h>
#include <popsgd/secure/refusal.h>

#include <cstddef>
#include <cstdint>

namespace popsgd::secure {

/// What is spent on peers that have not proven themselves, and on those that have.
struct Limits {
  std::size_t links =
      192;  ///< places, strangers' included; each takes some 34 KB once its handshake has begun
  std::size_t handshakes = 16;  ///< under way at a time that others began; and as many that were dialled
  std::uint32_t handshake_time = 10'000;  ///< ms, at most
  std::uint32_t grace = 1'000;    ///< ms: where all are taken, an older one that others began makes room
  std::uint32_t per_source = 20;  ///< handshakes that one IP address (IPv6: /64) may begin within a second
};

/// Is told of links whose peer has proven itself.
class Listener {
 public:
  /// The peer at `remote` is a member. The answer hears what it brings, and must stay until LinkUser::closed() or the end of
  /// the gate. `link` is valid as long; it may be used, and given up, at once.
  virtual LinkUser& opened(Link& link, const Address& remote, bool dialled) noexcept = 0;

  /// It did not come to that.
  virtual void refused(const Address& remote, bool dialled, Refusal refusal) noexcept = 0;

  /// Gate::deadline() may be earlier than it was. Only to be taken note of.
  virtual void scheduled() noexcept {}

 protected:
  Listener() = default;
  Listener(const Listener&) = default;
  Listener(Listener&&) = default;
  Listener& operator=(const Listener&) = default;
  Listener& operator=(Listener&&) = default;
  ~Listener() = default;
};

/// Over a reliable link: TLS 1.2 (RFC 5246); else DTLS 1.2 (RFC 6347). A frame is a record. Sans-I/O, on the thread of the links
/// within; poll() is to be called at deadline(), which every event may change.
///
/// A secure link's traits: as reliable as the link within; frames of up to 16,384 bytes, over datagrams 29 fewer than those carry,
/// which must be 285 at least. closed() follows where the peer says goodbye, too. Where both ends of one datagram link dial at once, one
/// of them yields.
class Gate {
 public:
  /// Both must outlive it.
  Gate(Context& context, Listener& listener, const Limits& limits = {}) noexcept;
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  Gate(Gate&&) = delete;
  Gate& operator=(Gate&&) = delete;

  /// A link is open. The answer is to be its user; null: turned away, to be closed and not heard of again. Listener::opened() or
  /// refused() follows, but from within later calls only; of a stranger over datagrams that has not shown where it is, neither.
  /// `remote` tells peers apart: of a wire, any.
  [[nodiscard]] LinkUser* admit(Link& inner, const Address& remote, bool dialled) noexcept;

  /// Retransmits, gives up, renews.
  void poll() noexcept;
  [[nodiscard]] Time deadline() const noexcept;

  [[nodiscard]] const Counts& counts() const noexcept;

  struct State;  // for this library

 private:
  State* state_;
};

}  // namespace popsgd::secure
