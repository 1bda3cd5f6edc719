// When a frame arrives at the other end of its link, if it does.
#pragma once

#include <popsgd/random.h>
#include <popsgd/sim/network.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>

namespace popsgd::sim {

/// All directed links of a network; times in microseconds.
class Links {
 public:
  Links(const LinkSettings& settings, std::uint64_t seed)
      : settings_(settings), random_(seed, Purpose::network) {}

  /// How many copies of the next frame are put on its link.
  [[nodiscard]] int copies() { return happens(settings_.duplicate) ? 2 : 1; }

  /// When a frame of `size` bytes put on the link now arrives. It has taken its place in the link's queue even
  /// if it is lost later.
  [[nodiscard]] std::uint64_t arrival(std::uint32_t from, std::uint32_t to, std::size_t size,
                                      std::uint64_t now);
  [[nodiscard]] bool lost() { return happens(settings_.loss); }

  /// An exchange has been decided: perhaps the link dies now, both ways, until then.
  void decided(std::uint32_t a, std::uint32_t b, std::uint64_t until) {
    if (happens(settings_.sever)) dead_until_[key(std::min(a, b), std::max(a, b))] = until;
  }
  [[nodiscard]] bool dead(std::uint32_t a, std::uint32_t b, std::uint64_t now) const {
    if (dead_until_.empty()) return false;
    const auto found = dead_until_.find(key(std::min(a, b), std::max(a, b)));
    return found != dead_until_.end() && now < found->second;
  }
  /// Does to the frame what the link does; returns how long it is now.
  [[nodiscard]] std::size_t damage(std::span<std::byte> frame);

 private:
  struct Queue {
    std::uint64_t free_at = 0;       // when the last frame has been sent
    std::uint64_t last_arrival = 0;  // a stream keeps its order
  };
  [[nodiscard]] static std::uint64_t key(std::uint32_t from, std::uint32_t to) {
    return std::uint64_t{from} << 32 | to;
  }
  [[nodiscard]] bool happens(double rate) {
    return rate > 0 && static_cast<double>(random_.bits()) * 0x1p-32 < rate;
  }

  LinkSettings settings_;
  Random random_;
  std::unordered_map<std::uint64_t, Queue> queues_;              // of the links ever used, if they need one
  std::unordered_map<std::uint64_t, std::uint64_t> dead_until_;  // of those that ever died
};

}  // namespace popsgd::sim
