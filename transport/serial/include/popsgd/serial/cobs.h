// Consistent Overhead Byte Stuffing (Cheshire and Baker, IEEE/ACM Transactions on Networking 7:2, 1999): any bytes as bytes
// other than 0, so that 0 can stand between frames. At most one byte more for every 254.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace popsgd::serial {

/// Most bytes that `size` bytes become.
[[nodiscard]] constexpr std::size_t max_encoded_size(std::size_t size) {
  return size + size / 254 + 1;
}

/// Writes encoded bytes as it is given them, piece after piece.
class CobsEncoder {
 public:
  /// `out`: max_encoded_size() of all that will be added.
  explicit CobsEncoder(std::span<std::byte> out) noexcept : out_(out) {}

  void add(std::span<const std::byte> bytes) noexcept {
    for (const std::byte byte : bytes) add(byte);
  }
  /// The number of bytes written in all.
  [[nodiscard]] std::size_t finish() noexcept {
    end_block();
    return end_;
  }

 private:
  // A block is its length, itself counted, and bytes other than 0. Each but one of full length, or the last, stands for a 0
  // behind it, too.
  static constexpr std::size_t kFull = 255;

  void add(std::byte byte) noexcept {
    if (end_ - block_ == kFull) begin_block();
    if (byte == std::byte{0})
      begin_block();
    else
      out_[end_++] = byte;
  }
  void end_block() noexcept { out_[block_] = static_cast<std::byte>(end_ - block_); }
  void begin_block() noexcept {
    end_block();
    block_ = end_++;
  }

  std::span<std::byte> out_;
  std::size_t block_ = 0;
  std::size_t end_ = 1;
};

/// `out`: max_encoded_size(bytes.size()) bytes that do not overlap them. The number of bytes written.
[[nodiscard]] inline std::size_t cobs_encode(std::span<const std::byte> bytes,
                                             std::span<std::byte> out) noexcept {
  CobsEncoder encoder(out);
  encoder.add(bytes);
  return encoder.finish();
}

/// Turns encoded bytes, without a 0 around them, back where they lie: into the first bytes of `bytes`, as many as the answer
/// says. Nothing: they are not what an encoder writes.
[[nodiscard]] std::optional<std::size_t> cobs_decode(std::span<std::byte> bytes) noexcept;

}  // namespace popsgd::serial
