// How the core names its peers and tells the time.
#pragma once

#include <cstdint>

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

}  // namespace popsgd
