// How the chunks of a block cross a link that may lose, double and reorder them.
#pragma once

#include "codec/frame.h"

#include <popsgd/link.h>
#include <popsgd/parts.h>

#include <array>
#include <bit>
#include <cstdint>
#include <optional>

namespace popsgd {

/// Chunks that may be on their way at once: an acknowledgement names one and 32 more.
/// Without windows there is only one.
inline constexpr std::uint16_t kMostInFlight = has(Part::window) ? 32 : 1;

/// Round-trip time and when to lose patience (RFC 6298): the time-out is the smoothed time and four deviations,
/// doubled at each expiry up to a cap.
class RoundTrip {
 public:
  constexpr RoundTrip(std::uint32_t first_ms, std::uint32_t least_ms, std::uint32_t most_ms)
      : least_(least_ms), most_(most_ms), timeout_(first_ms) {}
  constexpr RoundTrip() = default;

  /// A measured round trip, of a chunk that was sent only once (Karn's rule).
  void sample(std::uint32_t milliseconds);
  void expired() {
    if (doublings_ < kMostDoublings) ++doublings_;
  }
  [[nodiscard]] std::uint32_t timeout() const;
  /// The same for another exchange, if anything is known.
  [[nodiscard]] bool known() const { return smoothed_ != 0; }
  void begin_anew() { doublings_ = 0; }
  /// Time-outs since the last sample; counted up to 16.
  [[nodiscard]] std::uint32_t expiries() const { return doublings_; }

 private:
  static constexpr std::uint32_t kMostDoublings = 16;
  std::uint32_t least_ = 0;
  std::uint32_t most_ = 0;
  std::uint32_t timeout_ = 0;
  std::uint32_t smoothed_ = 0;   // eighths of a millisecond; 0: none yet
  std::uint32_t deviation_ = 0;  // quarters of a millisecond
  std::uint32_t doublings_ =
      0;  // as wide as the others: no padding, which would have to be spared in copying
};

/// The sending side: which chunk to send next. Additive increase, multiplicative decrease (RFC 5681); a chunk
/// counts as lost when three later ones have arrived, or when the time-out passes without news.
class Sender {
 public:
  struct Limits {
    std::uint16_t window = 1;  ///< most chunks in flight, 1 to kMostInFlight
    bool reliable = false;     ///< nothing is ever lost: the window is always open, nothing is sent again
  };

  /// A new exchange: what was known of the path is forgotten.
  void connect(Limits limits, RoundTrip path);
  /// The next block, of `chunks` >= 1 chunks.
  void begin(std::uint16_t chunks);

  /// The peer has them all: it has said so in other words.
  void finish();

  /// The chunk to send now, if any; it counts as sent.
  [[nodiscard]] std::optional<std::uint16_t> next(Time now);
  /// What the peer has. Returns false for an acknowledgement of what was never sent.
  [[nodiscard]] bool acknowledge(std::uint16_t next, std::uint32_t bitmap, Time now);

  [[nodiscard]] std::uint16_t window() const { return has(Part::window) ? limits_.window : 1; }
  [[nodiscard]] bool complete() const { return base_ == chunks_; }
  [[nodiscard]] bool all_sent() const { return fresh_ == chunks_; }
  /// Chunks the peer is known to have.
  [[nodiscard]] std::uint32_t held() const {
    return has(Part::window) ? base_ + static_cast<std::uint32_t>(std::popcount(held_)) : base_;
  }
  /// When next() will have something that it does not have now, if nothing arrives; none if it never will.
  [[nodiscard]] std::optional<Time> deadline(Time now) const;
  [[nodiscard]] std::uint32_t retransmissions() const { return retransmissions_; }
  [[nodiscard]] const RoundTrip& path() const { return path_; }

 private:
  // Chunks in flight have places by their number, modulo kMostInFlight.
  [[nodiscard]] Time& sent(std::uint32_t chunk) { return sent_[chunk % kMostInFlight]; }
  [[nodiscard]] bool again(std::uint32_t chunk) const { return (again_ >> chunk % kMostInFlight & 1U) != 0; }
  [[nodiscard]] std::uint32_t in_flight() const;
  [[nodiscard]] std::uint32_t sent_mask() const;
  [[nodiscard]] bool has_room(std::uint32_t flying) const;
  void time_out(Time now);
  void mark_lost();
  void slow_down();

  Limits limits_{};
  RoundTrip path_{};
  std::uint32_t chunks_ = 0;
  std::uint32_t base_ = 0;   // the first chunk not acknowledged
  std::uint32_t fresh_ = 0;  // the first chunk never sent
  // Bit k stands for chunk base_ + k.
  std::uint32_t held_ = 0;        // acknowledged out of order
  std::uint32_t lost_ = 0;        // to be sent again
  Time timer_{};                  // when the time-out passes, while something is in flight
  std::uint32_t congestion_ = 0;  // window in sixteenths of a chunk, of which it always holds one
  std::uint32_t threshold_ = 0;   // of slow start, likewise
  std::uint32_t recovery_ = 0;    // losses of chunks before this one have been answered
  std::uint32_t retransmissions_ = 0;
  std::uint32_t again_ = 0;  // those sent more than once
  std::array<Time, kMostInFlight> sent_{};
};

/// The receiving side: which chunks have come.
class Receiver {
 public:
  enum class Arrival : std::uint8_t { fresh, duplicate, outside };

  void begin(std::uint16_t chunks);
  /// Takes note of a chunk; outside: not of this block, or too far ahead of what has come.
  Arrival take(std::uint16_t chunk);
  [[nodiscard]] bool complete() const { return next_ == chunks_; }
  [[nodiscard]] codec::Acknowledgement acknowledgement(std::uint16_t block) const;

 private:
  std::uint32_t chunks_ = 0;
  std::uint32_t next_ = 0;
  std::uint32_t bitmap_ = 0;  // bit k: chunk next_ + 1 + k
};

}  // namespace popsgd
