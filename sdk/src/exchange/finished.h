// Exchanges that are over, remembered for as long as a peer may still ask about them.
#pragma once

#include <popsgd/link.h>

#include <cstdint>
#include <span>

namespace popsgd {

enum class Role : std::uint8_t { responder, initiator };

/// Saved as it lies in memory: see Records.
struct FinishedExchange {
  std::uint64_t name = 0;
  std::uint64_t offer = 0;    ///< the initiator's nonce
  Time until{};               ///< forgotten then
  std::uint32_t blocks = 0;   ///< of the model; 0: an empty place
  std::uint32_t decided = 0;  ///< blocks applied
  std::uint16_t first = 0;    ///< block exchanged first
  Role role = Role::responder;
  std::uint8_t unused = 0;  // no byte of what is saved is undetermined

  /// Whether the block was applied.
  [[nodiscard]] bool has(std::uint16_t block) const {
    return block < blocks && (block + blocks - first) % blocks < decided;
  }
};

static_assert(sizeof(FinishedExchange) == 32);

/// A bounded table. When it is full the oldest gives way, first of those that the agent answered, and never to one of less
/// worth.
class Finished {
 public:
  Finished() = default;
  explicit Finished(std::span<FinishedExchange> places) : places_(places) {}

  void remember(const FinishedExchange& exchange, Time now) {
    FinishedExchange* place = nullptr;
    for (FinishedExchange& known : places_)
      if (known.blocks != 0 && known.name == exchange.name) place = &known;
    if (place == nullptr) place = &least_wanted(now);
    if (worth(*place) <= worth(exchange) || place->name == exchange.name) *place = exchange;
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

  /// After a restart, when no clock tells for how long it has been away: all are remembered until then.
  void keep_all(Time until) {
    for (FinishedExchange& place : places_) place.until = until;
  }

  /// Empties the places whose time is over. To be called more often than every 24 days.
  void forget(Time now) {
    for (FinishedExchange& place : places_) {
      if (place.blocks != 0 && place.until.reached(now)) place = {};
    }
  }

 private:
  // An initiator's word may still be waited for, also that it has decided nothing.
  static int worth(const FinishedExchange& place) {
    if (place.blocks == 0) return 0;
    return place.role == Role::responder ? 1 : 2;
  }
  [[nodiscard]] FinishedExchange& least_wanted(Time now) {
    FinishedExchange* least = &places_[0];
    for (FinishedExchange& place : places_) {
      const int difference = worth(place) - worth(*least);
      const bool sooner = place.until.since(now) < least->until.since(now);
      if (difference < 0 || (difference == 0 && sooner)) least = &place;
    }
    return *least;
  }

  std::span<FinishedExchange> places_{};
};

}  // namespace popsgd
