#include "exchange/window.h"

#include <algorithm>
#include <bit>

namespace popsgd {
namespace {

constexpr std::uint32_t kChunk = 16;  // the congestion window counts sixteenths
constexpr std::uint32_t kInitial = 4 * kChunk;
constexpr int kReordering = 3;  // later chunks that must arrive before one counts as lost

// The lowest `count` bits.
constexpr std::uint32_t low_bits(std::uint32_t count) {
  return count >= 32 ? ~0U : (1U << count) - 1;
}

constexpr std::uint32_t shift_down(std::uint32_t bits, std::uint32_t count) {
  return count >= 32 ? 0 : bits >> count;
}

// Milliseconds, at least 0.
std::uint32_t elapsed(Time from, Time to) {
  return static_cast<std::uint32_t>(std::max<std::int32_t>(0, to.since(from)));
}

constexpr std::uint32_t shift_up(std::uint32_t bits, std::uint32_t count) {
  return count >= 32 ? 0 : bits << count;
}

}  // namespace

void RoundTrip::sample(std::uint32_t milliseconds) {
  const std::uint32_t limited = std::min(milliseconds, most_);
  if (smoothed_ == 0) {
    smoothed_ = std::max<std::uint32_t>(1U, 8 * limited);
    deviation_ = 2 * limited;
  } else {
    const std::uint32_t expected = smoothed_ / 8;
    const std::uint32_t error = expected > limited ? expected - limited : limited - expected;
    deviation_ = deviation_ - deviation_ / 4 + error;
    smoothed_ = std::max<std::uint32_t>(1U, smoothed_ - smoothed_ / 8 + limited);
  }
  timeout_ = smoothed_ / 8 + deviation_;
  doublings_ = 0;
}

std::uint32_t RoundTrip::timeout() const {
  const std::uint64_t doubled = std::uint64_t{std::max(timeout_, least_)} << doublings_;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(doubled, most_));
}

void Sender::connect(Limits limits, RoundTrip path) {
  limits_ = limits;
  path_ = path;
  retransmissions_ = 0;
  begin(0);
  if constexpr (kMostInFlight == 1) return;
  congestion_ =
      limits.reliable ? limits.window * kChunk : std::min<std::uint32_t>(kInitial, limits.window * kChunk);
  threshold_ = limits.window * kChunk;
}

void Sender::begin(std::uint16_t chunks) {
  chunks_ = chunks;
  base_ = fresh_ = held_ = lost_ = recovery_ = 0;
}

void Sender::finish() {
  base_ = fresh_ = chunks_;
  held_ = lost_ = 0;
}

std::uint32_t Sender::sent_mask() const {
  return low_bits(fresh_ - base_);
}

std::uint32_t Sender::in_flight() const {
  if constexpr (kMostInFlight == 1) return fresh_ - base_ - lost_;
  return static_cast<std::uint32_t>(std::popcount(sent_mask() & ~held_ & ~lost_));
}

bool Sender::has_room(std::uint32_t flying) const {
  return kMostInFlight == 1 ? flying == 0 : flying * kChunk + kChunk <= congestion_;
}

std::optional<std::uint16_t> Sender::next(Time now) {
  if (complete()) return {};
  if (!limits_.reliable && in_flight() > 0 && timer_.reached(now)) time_out(now);
  const std::uint32_t flying = in_flight();
  if (!has_room(flying)) return {};
  std::uint32_t chunk = fresh_;
  if (lost_ != 0) {
    const auto k = kMostInFlight > 1 ? static_cast<std::uint32_t>(std::countr_zero(lost_)) : 0;
    lost_ &= ~(1U << k);
    chunk = base_ + k;
    again_ |= 1U << chunk % kMostInFlight;
    ++retransmissions_;
  } else {
    if (fresh_ == chunks_ || fresh_ - base_ >= window()) return {};
    again_ &= ~(1U << chunk % kMostInFlight);
    ++fresh_;
  }
  sent(chunk) = now;
  if (flying == 0) timer_ = now + path_.timeout();
  return static_cast<std::uint16_t>(chunk);
}

bool Sender::acknowledge(std::uint16_t next, std::uint32_t bitmap, Time now) {
  if (next > fresh_) return false;
  if (next < base_) return true;  // overtaken by a later one
  if constexpr (kMostInFlight == 1) {
    if (bitmap != 0) return false;
    if (next == base_) return true;
    if (!again(base_)) path_.sample(elapsed(sent(base_), now));
    base_ = next;
    lost_ = 0;
    return true;
  }
  if (next < fresh_ && (bitmap >> 31U) != 0) return false;  // a window never reaches that far
  const std::uint32_t holds = next < fresh_ ? shift_up(bitmap, 1) : bitmap;
  if ((holds & ~low_bits(fresh_ - next)) != 0) return false;

  const std::uint32_t advance = next - base_;
  const std::uint32_t newly = (low_bits(advance) | shift_up(holds, advance)) & ~held_ & sent_mask();
  if (newly == 0) return true;
  for (std::uint32_t k = 0; k < kMostInFlight; ++k) {
    const std::uint32_t chunk = base_ + k;
    if ((newly >> k & 1U) == 0 || again(chunk)) continue;
    path_.sample(elapsed(sent(chunk), now));
  }
  // A peer that contradicts itself may now hold the first chunk, too.
  const std::uint32_t held = shift_down(held_ | newly, advance);
  const auto more = static_cast<std::uint32_t>(std::countr_one(held));
  held_ = shift_down(held, more);
  lost_ = shift_down(lost_ & ~newly, advance + more);
  base_ = next + more;
  timer_ = now + path_.timeout();
  if (limits_.reliable) return true;
  const auto count = static_cast<std::uint32_t>(std::popcount(newly));
  congestion_ += congestion_ < threshold_
                     ? count * kChunk
                     : std::max<std::uint32_t>(1U, count * kChunk * kChunk / congestion_);
  congestion_ = std::min<std::uint32_t>(congestion_, limits_.window * kChunk);
  mark_lost();
  return true;
}

// Chunks that were sent once and have three later ones acknowledged.
void Sender::mark_lost() {
  bool losses = false;
  std::uint32_t later = held_;
  for (std::uint32_t k = 0; std::popcount(later) >= kReordering; ++k, later = held_ & ~low_bits(k + 1)) {
    if ((held_ >> k & 1U) != 0 || (lost_ >> k & 1U) != 0 || again(base_ + k)) continue;
    lost_ |= 1U << k;
    losses |= base_ + k >= recovery_;
  }
  if (losses) slow_down();
}

void Sender::slow_down() {
  threshold_ = congestion_ = std::max(congestion_ / 2, 2 * kChunk);
  recovery_ = fresh_;
}

void Sender::time_out(Time now) {
  path_.expired();
  if constexpr (kMostInFlight == 1) {
    lost_ = 1;
    return;
  }
  threshold_ = std::max(congestion_ / 2, 2 * kChunk);
  congestion_ = kChunk;
  recovery_ = fresh_;
  lost_ = sent_mask() & ~held_;
  timer_ = now + path_.timeout();
}

std::optional<Time> Sender::deadline(Time now) const {
  if (complete()) return {};
  if (has_room(in_flight()) && (lost_ != 0 || (fresh_ < chunks_ && fresh_ - base_ < window()))) return now;
  if (limits_.reliable) return {};
  return timer_;  // something is in flight: nothing else keeps an open window from the next chunk
}

void Receiver::begin(std::uint16_t chunks) {
  chunks_ = chunks;
  next_ = bitmap_ = 0;
}

Receiver::Arrival Receiver::take(std::uint16_t chunk) {
  if (chunk >= chunks_ || chunk > next_ + kMostInFlight) return Arrival::outside;
  if (chunk < next_) return Arrival::duplicate;
  if constexpr (kMostInFlight == 1) {
    if (chunk > next_) return Arrival::outside;
    ++next_;
    return Arrival::fresh;
  }
  if (chunk > next_) {
    const std::uint32_t bit = 1U << (chunk - next_ - 1);
    if ((bitmap_ & bit) != 0) return Arrival::duplicate;
    bitmap_ |= bit;
    return Arrival::fresh;
  }
  const auto run = static_cast<std::uint32_t>(std::countr_one(bitmap_));
  next_ += 1 + run;
  bitmap_ = shift_down(bitmap_, run + 1);
  return Arrival::fresh;
}

codec::Acknowledgement Receiver::acknowledgement(std::uint16_t block) const {
  return {block, static_cast<std::uint16_t>(next_), kMostInFlight > 1 ? bitmap_ : 0};
}

}  // namespace popsgd
