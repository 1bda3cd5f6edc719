// When power fails, and what outlasts it.
#pragma once

#include "network/streams.h"

#include <popsgd/random.h>
#include <popsgd/sim/network.h>
#include <popsgd/store.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace popsgd::sim {

/// Draws the failures of all agents. Times in microseconds.
class Crashes {
 public:
  Crashes(const CrashSettings& settings, std::uint64_t seed)
      : settings_(settings), random_(seed, Purpose::network, kCrashesStream) {}

  /// Whether power fails at this call of an agent.
  [[nodiscard]] bool strikes() { return settings_.rate > 0 && uniform() < settings_.rate; }
  /// Of the frames that it was about to send, whether this one still leaves.
  [[nodiscard]] bool leaves() { return uniform() < 0.5; }
  [[nodiscard]] std::uint64_t back_after() {
    return static_cast<std::uint64_t>(1e6 * settings_.down_s * (0.5 + uniform()));
  }
  [[nodiscard]] bool saves() const { return settings_.rate > 0 && settings_.save_s > 0; }
  [[nodiscard]] std::uint64_t save_after() { return static_cast<std::uint64_t>(1e6 * settings_.save_s); }

 private:
  [[nodiscard]] double uniform() { return static_cast<double>(random_.bits()) * 0x1p-32; }

  CrashSettings settings_;
  Random random_;
};

/// A medium that never fails; what happens when one does is tested with the checkpoints themselves.
class SlotMemory final : public Store {
 public:
  explicit SlotMemory(std::size_t slot_size) { slots_.fill(std::vector(slot_size, std::byte{0xFF})); }

  [[nodiscard]] std::size_t slot_size() const noexcept override { return slots_[0].size(); }
  [[nodiscard]] Status read(unsigned slot, std::size_t offset, std::span<std::byte> into) noexcept override {
    std::copy_n(slots_[slot].begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    return Status::ok;
  }
  [[nodiscard]] Status write(unsigned slot, std::size_t offset,
                             std::span<const std::byte> page) noexcept override {
    std::copy(page.begin(), page.end(), slots_[slot].begin() + static_cast<std::ptrdiff_t>(offset));
    return Status::ok;
  }
  [[nodiscard]] Status erase(unsigned slot) noexcept override {
    std::fill(slots_[slot].begin(), slots_[slot].end(), std::byte{0xFF});
    return Status::ok;
  }
  [[nodiscard]] Status sync() noexcept override { return Status::ok; }

 private:
  std::array<std::vector<std::byte>, kSlots> slots_{};
};

}  // namespace popsgd::sim
