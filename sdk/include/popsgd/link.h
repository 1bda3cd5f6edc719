// How the core names its peers and tells the time, and what carries its frames.
#pragma once

#include <popsgd/status.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd {

/// Milliseconds of a local, monotonic clock with any origin. It wraps around after 49 days: only differences
/// below 24 days mean anything, and only those are ever formed. Two machines' clocks are never compared.
class Time {
 public:
  constexpr Time() = default;
  explicit constexpr Time(std::uint32_t milliseconds) : ms_(milliseconds) {}

  /// Milliseconds from `earlier` to this, negative if it is the later one.
  [[nodiscard]] constexpr std::int32_t since(Time earlier) const {
    return static_cast<std::int32_t>(ms_ - earlier.ms_);
  }
  [[nodiscard]] constexpr bool reached(Time now) const { return now.since(*this) >= 0; }
  [[nodiscard]] constexpr std::uint32_t milliseconds() const { return ms_; }

  friend constexpr Time operator+(Time time, std::uint32_t milliseconds) {
    return Time(time.ms_ + milliseconds);
  }
  friend constexpr bool operator==(Time, Time) = default;

 private:
  std::uint32_t ms_ = 0;
};

[[nodiscard]] constexpr Time earlier(Time a, Time b) {
  return a.since(b) <= 0 ? a : b;
}

/// A peer as the transport knows it, e.g. an index into its table of addresses. Says nothing about who the peer is.
enum class PeerId : std::uint32_t {};

/// What the path to a peer is like.
struct LinkTraits {
  std::uint16_t mtu = 1200;  ///< largest frame in bytes that it carries, >= 256
  bool reliable = false;     ///< a stream: nothing is lost, doubled or reordered while the peer is there
};

class LinkUser;

/// A path to one peer, which carries frames whole: over a stream, in datagrams, along a wire, or sealed within another
/// link. A transport implements it; it hands out no link before there is a user for it.
///
/// Everything happens on one thread, or under one lock, at a time: the transport's. A link calls its user only from
/// within the transport's own work, never from within send() or close(), so a user may call both from anywhere.
class Link {
 public:
  /// What the path is like; may change, e.g. when a smaller MTU is met with.
  [[nodiscard]] virtual LinkTraits traits() const noexcept = 0;

  /// Takes a frame of 1 to traits().mtu bytes, sent or copied when it returns. ok: it is on its way, which promises nothing
  /// unless the link is reliable. no_room: the link is full, nothing was taken; LinkUser::writable() tells when it no
  /// longer is. link_closed: it is over. invalid_size: an empty frame, or one that is too long.
  [[nodiscard]] virtual Status send(std::span<const std::byte> frame) noexcept = 0;

  /// Gives the path up. What was taken may still arrive. LinkUser::closed() follows, once.
  virtual void close() noexcept = 0;

 protected:
  Link() = default;
  Link(const Link&) = default;
  Link(Link&&) = default;
  Link& operator=(const Link&) = default;
  Link& operator=(Link&&) = default;
  ~Link() = default;  // a transport owns its links
};

/// Whoever reads what links bring.
class LinkUser {
 public:
  /// A frame has come, 1 byte or more (the peer's MTU may be larger than traits().mtu) as the peer gave them away, at an 8-aligned address, valid during the call.
  virtual void received(Link& link, std::span<const std::byte> frame) noexcept = 0;
  /// The link was full, and has room again.
  virtual void writable(Link& link) noexcept = 0;
  /// The path is lost or given up. The link is gone when this returns. Where the transport itself is destroyed, its links go
  /// with it and nobody is told.
  virtual void closed(Link& link) noexcept = 0;

 protected:
  LinkUser() = default;
  LinkUser(const LinkUser&) = default;
  LinkUser(LinkUser&&) = default;
  LinkUser& operator=(const LinkUser&) = default;
  LinkUser& operator=(LinkUser&&) = default;
  ~LinkUser() = default;
};

}  // namespace popsgd
