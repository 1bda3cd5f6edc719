// Exchanges that are over, remembered for as long as a peer may still ask about them.
#pragma once

#include <popsgd/link.h>

#include <cstdint>
#include <span>

namespace popsgd {

struct FinishedExchange {
  std::uint64_t name = 0;
  std::uint64_t offer = 0;    ///< the initiator's nonce
  Time until{};               ///< forgotten then
  std::uint32_t blocks = 0;   ///< of the model; 0: an empty place
  std::uint32_t decided = 0;  ///< blocks applied
  std::uint16_t first = 0;    ///< block exchanged first
  bool initiator = false;

  /// Whether the block was applied.
  [[nodiscard]] bool has(std::uint16_t block) const {
    return block < blocks && (block + blocks - first) % blocks < decided;
  }
};

/// A bounded table. When it is full the oldest gives way, of those the agent answered first: only an initiator's word may
/// still be waited for.
class Finished {
 public:
  Finished() = default;
  explicit Finished(std::span<FinishedExchange> places) : places_(places) {}

  void remember(const FinishedExchange& exchange, Time now) {
    FinishedExchange* victim = &places_[0];
    for (FinishedExchange& place : places_) {
      if (place.blocks == 0 || place.name == exchange.name) {
        victim = &place;
        break;
      }
      const bool sooner = place.until.since(now) < victim->until.since(now);
      if (place.initiator == victim->initiator ? sooner : victim->initiator) victim = &place;
    }
    *victim = exchange;
  }

  [[nodiscard]] const FinishedExchange* find(std::uint64_t name) const {
    for (const FinishedExchange& place : places_) {
      if (place.blocks != 0 && place.name == name) return &place;
    }
    return nullptr;
  }

  [[nodiscard]] bool knows_offer(std::uint64_t nonce) const {
    for (const FinishedExchange& place : places_) {
      if (place.blocks != 0 && place.offer == nonce) return true;
    }
    return false;
  }

  /// Empties the places whose time is over. To be called more often than every 24 days.
  void forget(Time now) {
    for (FinishedExchange& place : places_) {
      if (place.blocks != 0 && place.until.reached(now)) place = {};
    }
  }

 private:
  std::span<FinishedExchange> places_{};
};

}  // namespace popsgd
