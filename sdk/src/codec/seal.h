// Every frame ends with a CRC-32C of the bytes before it, little-endian. Links of one's own, a UART, say, flip bits;
// and one flipped bit in the number of a block would be a COMMIT that nobody sent.
#pragma once

#include "numeric/crc32c.h"
#include "numeric/little_endian.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace popsgd::codec {

/// Bytes that a seal adds to a frame.
inline constexpr std::size_t kSeal = sizeof(std::uint32_t);

/// Seals the first `length` bytes of `frame`, which has kSeal more; the length with the seal.
inline std::size_t seal(std::span<std::byte> frame, std::size_t length) noexcept {
  numeric::put(frame, length, numeric::crc32c(frame.first(length)));
  return length + kSeal;
}

/// The frame without its seal, or nothing if it was changed on its way.
[[nodiscard]] inline std::optional<std::span<const std::byte>> unseal(
    std::span<const std::byte> frame) noexcept {
  if (frame.size() < kSeal) return {};
  if (numeric::crc32c(frame) != kCrc32cResidue) return {};
  return frame.first(frame.size() - kSeal);
}

}  // namespace popsgd::codec
