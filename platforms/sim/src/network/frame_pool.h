// Memory for the frames on their way: allocated while their number grows, recycled ever after.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace popsgd::sim {

class FramePool {
 public:
  struct Address {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::uint32_t size = 0;  ///< bytes
    std::uint64_t sent = 0;  ///< microseconds
  };

  explicit FramePool(std::size_t largest) : words_((largest + 7) / 8) {}

  /// A copy of `bytes`, 8-aligned, until release().
  std::uint32_t hold(std::uint32_t from, std::uint32_t to, std::span<const std::byte> bytes,
                     std::uint64_t sent) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(addresses_.size()));
      addresses_.emplace_back();
      memory_.resize(memory_.size() + words_);
    }
    const std::uint32_t frame = free_.back();
    free_.pop_back();
    addresses_[frame] = {from, to, static_cast<std::uint32_t>(bytes.size()), sent};
    std::memcpy(&memory_[frame * words_], bytes.data(), bytes.size());
    return frame;
  }
  void release(std::uint32_t frame) { free_.push_back(frame); }

  [[nodiscard]] Address& address(std::uint32_t frame) { return addresses_[frame]; }
  /// Valid until the next hold().
  [[nodiscard]] std::span<std::byte> bytes(std::uint32_t frame) {
    return std::as_writable_bytes(std::span(memory_).subspan(frame * words_, words_))
        .first(addresses_[frame].size);
  }

 private:
  std::size_t words_;  // a frame
  std::vector<std::uint64_t> memory_;
  std::vector<Address> addresses_;
  std::vector<std::uint32_t> free_;
};

}  // namespace popsgd::sim
