// Frames in a stream of bytes: 4 bytes of length, little-endian, then the frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

namespace popsgd::net {

inline constexpr std::size_t kPrefix = 4;

/// What has come of the stream, and is not read yet. Frames are handed out where they lie, at 8-aligned addresses. The first of
/// a buffer begins at one; so does each that follows a frame of 8 k + 4 bytes, as all of the exchange's are. Others move
/// by less than 8 bytes, over what has been read.
class FrameStream {
 public:
  explicit FrameStream(std::size_t mtu)
      : mtu_(mtu),
        size_(kStart + 4 * (mtu + kPrefix + 4)),
        bytes_(std::make_unique_for_overwrite<std::uint64_t[]>(size_ / 8 + 1)) {}

  /// Where to put what comes next, never empty; valid until next(), as are frames.
  [[nodiscard]] std::span<std::byte> room() {
    if (begin_ == end_) begin_ = end_ = kStart;
    const bool whole_fits = begin_ + kPrefix + mtu_ <= size_;
    if (!whole_fits) {
      std::memmove(data() + kStart, data() + begin_, end_ - begin_);
      end_ = kStart + end_ - begin_;
      begin_ = kStart;
    }
    return {data() + end_, size_ - end_};
  }
  /// So many bytes were put there.
  void put(std::size_t count) { end_ += count; }

  enum class State : std::uint8_t { frame, incomplete, garbled };
  /// The next frame, if all of it is there. garbled: its length is 0 or more than the MTU.
  [[nodiscard]] State next(std::span<const std::byte>& frame) {
    if (end_ - begin_ < kPrefix) return State::incomplete;
    const std::size_t length = get_length(data() + begin_);
    if (length == 0 || length > mtu_) return State::garbled;
    if (end_ - begin_ < kPrefix + length) return State::incomplete;
    std::byte* const first = data() + begin_ + kPrefix;
    std::byte* const aligned = first - (begin_ + kPrefix) % 8;
    if (aligned != first) std::memmove(aligned, first, length);
    frame = {aligned, length};
    begin_ += kPrefix + length;
    return State::frame;
  }
  /// Part of a frame is there.
  [[nodiscard]] bool amid_frame() const { return begin_ != end_; }

  static void put_length(std::size_t length, std::byte* prefix) {
    for (std::size_t k = 0; k < kPrefix; ++k) prefix[k] = static_cast<std::byte>(length >> 8 * k);
  }

 private:
  [[nodiscard]] std::byte* data() { return reinterpret_cast<std::byte*>(bytes_.get()); }
  static std::size_t get_length(const std::byte* prefix) {
    std::size_t length = 0;
    for (std::size_t k = 0; k < kPrefix; ++k) length |= std::to_integer<std::size_t>(prefix[k]) << 8 * k;
    return length;
  }

  // Where the first frame's length lies. A large block of memory begins almost where a page does, and so does what the system
  // copies from; some processors (Zen 4) copy to a few bytes past the source, modulo a page, at a quarter of their speed.
  static constexpr std::size_t kStart = 1024 + kPrefix;

  std::size_t mtu_;
  std::size_t size_;  // bytes
  std::unique_ptr<std::uint64_t[]> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace popsgd::net
