// Frames to bytes and back. The bytes are FlatBuffers of sdk/schema/popsgd.fbs: any FlatBuffers program reads them.
#pragma once

#include "codec/frame.h"

#include <popsgd/status.h>

#include <cstddef>
#include <span>

namespace popsgd::codec {

/// A frame's first byte lies on a multiple of this when it is decoded.
inline constexpr std::size_t kFrameAlignment = 8;

/// No frame is longer, bytes: a handshake's mtu has 16 bits.
inline constexpr std::size_t kLargestFrame = 65535;

/// Bytes of a STATE frame beside its data, with and without an acknowledgement.
inline constexpr std::size_t kStateOverhead = 52;
inline constexpr std::size_t kStateOverheadWithoutAcknowledgement = 44;

/// The longest frame without data, bytes: OFFER and ACCEPT. A handshake's mtu is at least this.
inline constexpr std::size_t kLargestControlFrame = 94;

/// No path between agents carries less; so a model does not fall into crumbs because a peer asks for it.
inline constexpr std::uint16_t kLeastMtu = 256;

/// Chunks of a block are numbered from 0 to below this: an acknowledgement can say that all have arrived.
inline constexpr std::size_t kMostChunks = 65535;

/// The rules every frame keeps beyond its schema. Only the fields that count for its kind are looked at.
/// @return unknown_kind, unknown_format; or invalid_field when
///   - a chunk, or one an acknowledgement speaks of, is not below kMostChunks,
///   - data is empty, or too long for a frame with an acknowledgement,
///   - an acknowledgement is missing where the frame is nothing else,
///   - a handshake's parameters, block_length or window is zero, its blocks are more than 65536, or its mtu is
///     below kLeastMtu, or it rotates what it does not quantise. A block_length above parameters is one block.
[[nodiscard]] Status check(const Frame& frame) noexcept;

/// Writes the frame to the beginning of `out`, which needs no alignment. The frame's data may lie in `out`, too.
/// Fields that do not count for the frame's kind are not written.
/// @return the bytes written, or why none were: what check() says, or buffer_too_small
[[nodiscard]] Result<std::span<const std::byte>> encode(const Frame& frame,
                                                        std::span<std::byte> out) noexcept;

/// Reads a frame into a new one; `bytes` may hold anything. The frame's data is a view into them.
/// @param bytes  the whole of one frame, its first byte on a multiple of kFrameAlignment
/// @return ok, and the frame, which passes check(); or, and a frame that means nothing,
///   - misaligned_frame
///   - malformed_frame: longer than kLargestFrame, without the file identifier, or not a FlatBuffers table of the schema
///   - unknown_kind, unknown_format
///   - wrong_fields: it lacks a field its kind needs, or has one its kind does not know
///   - invalid_field: as check() says
[[nodiscard]] Status decode(std::span<const std::byte> bytes, Frame& frame) noexcept;

/// The same as a value.
[[nodiscard]] inline Result<Frame> decode(std::span<const std::byte> bytes) noexcept {
  Frame frame;
  if (const Status status = decode(bytes, frame); status != Status::ok) return status;
  return frame;
}

}  // namespace popsgd::codec
