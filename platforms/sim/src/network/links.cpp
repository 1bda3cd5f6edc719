#include "network/links.h"

#include <algorithm>

namespace popsgd::sim {

std::uint64_t Links::arrival(std::uint32_t from, std::uint32_t to, std::size_t size, std::uint64_t now) {
  double delay = settings_.delay_ms;
  if (settings_.jitter_ms > 0) delay += settings_.jitter_ms * static_cast<double>(random_.uniform());
  const auto travel = static_cast<std::uint64_t>(delay * 1000);
  if (settings_.bandwidth == 0 && !settings_.reliable) return now + travel;

  Queue& queue = queues_[key(from, to)];
  if (settings_.bandwidth > 0) {
    const double microseconds = 8e6 * static_cast<double>(size) / settings_.bandwidth;
    queue.free_at = std::max(queue.free_at, now) + static_cast<std::uint64_t>(microseconds);
    now = queue.free_at;
  }
  if (!settings_.reliable) return now + travel;
  queue.last_arrival = std::max(queue.last_arrival, now + travel);
  return queue.last_arrival;
}

std::size_t Links::damage(std::span<std::byte> frame) {
  const auto size = static_cast<std::uint32_t>(frame.size());
  if (happens(settings_.corrupt)) {
    const std::uint32_t bit = random_.below(8 * size);
    frame[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
  return happens(settings_.truncate) ? random_.below(size) : size;
}

}  // namespace popsgd::sim
