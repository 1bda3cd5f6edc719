// What happens next: a binary heap by time, and by the order of scheduling among equals.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace popsgd::sim {

struct Event {
  enum class Kind : std::uint8_t { timer, arrival, restart, contacts };
  std::uint64_t at = 0;     ///< microseconds
  std::uint64_t order = 0;  ///< no two are equal
  std::uint32_t what = 0;   ///< the agent, or the frame; of contacts: 0
  Kind kind = Kind::timer;
};

class EventQueue {
 public:
  /// Returns the event's order, by which it can be told from every other.
  std::uint64_t push(std::uint64_t at, Event::Kind kind, std::uint32_t what) {
    heap_.push_back({at, ++order_, what, kind});
    std::push_heap(heap_.begin(), heap_.end(), later);
    return order_;
  }
  [[nodiscard]] const Event& next() const { return heap_.front(); }
  Event pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Event event = heap_.back();
    heap_.pop_back();
    return event;
  }

 private:
  static bool later(const Event& a, const Event& b) { return a.at != b.at ? a.at > b.at : a.order > b.order; }
  std::vector<Event> heap_;
  std::uint64_t order_ = 0;
};

}  // namespace popsgd::sim
