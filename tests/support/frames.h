// Random frames of every kind, for the tests of the codec and the seeds of its fuzz target.
#pragma once

#include "codec/codec.h"

#include <popsgd/random.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace popsgd::codec {

inline constexpr std::array kEveryKind{Kind::offer, Kind::accept, Kind::busy,   Kind::reject, Kind::state,
                                       Kind::ack,   Kind::ready,  Kind::commit, Kind::abort,  Kind::again};

/// In the range [low, high], both extremes far more often than by chance.
inline std::uint32_t any_of(Random& random, std::uint32_t low, std::uint32_t high) {
  const std::uint32_t choice = random.below(8);
  if (choice == 0) return low;
  if (choice == 1) return high;
  return low + random.below(high - low) + random.below(2);
}

inline std::uint16_t any16(Random& random, std::uint32_t low = 0, std::uint32_t high = 65535) {
  return static_cast<std::uint16_t>(any_of(random, low, high));
}

inline Acknowledgement any_acknowledgement(Random& random) {
  const std::uint16_t next = any16(random);
  // The last chunk the bitmap can speak of is number 65534.
  const std::uint32_t bits = std::min<std::uint32_t>(32, next < 65535 ? 65534 - next : 0);
  const std::uint32_t mask = bits == 32 ? ~0U : (1U << bits) - 1;
  return {.block = any16(random), .next = next, .bitmap = random.bits() & mask};
}

inline Handshake any_handshake(Random& random) {
  const std::uint32_t parameters = any_of(random, 1, ~0U);
  const bool quantises = random.below(2) != 0;
  return {.nonce = random.bits64(),
          .fingerprint = random.bits64(),
          .counter = random.bits64(),
          .parameters = parameters,
          .block_length = any_of(random, (parameters - 1) / 65536 + 1, ~0U),
          .version = any16(random),
          .mtu = any16(random, kLeastMtu),
          .window = any16(random, 1),
          .format = static_cast<Format>(random.below(3)),
          .standing = static_cast<Standing>(random.below(3)),
          .layout = random.below(2) != 0 ? random.bits() : 0,
          .quantises = quantises,
          .rotates = quantises && random.below(2) != 0};
}

/// A valid frame; fields that do not count for its kind are at their defaults.
/// @param data  what the chunk of a STATE frame is taken from; not empty
inline Frame any_frame(Random& random, Kind kind, std::span<const std::byte> data) {
  Frame frame;
  frame.kind = kind;
  frame.exchange = random.below(8) == 0 ? 0 : random.bits64();
  if (kind == Kind::offer || kind == Kind::accept) frame.handshake = any_handshake(random);
  if (kind == Kind::busy) frame.retry_ms = any16(random);
  if (kind == Kind::reject || kind == Kind::abort) frame.code = static_cast<std::uint8_t>(random.below(256));
  if (kind == Kind::state || kind == Kind::ready || kind == Kind::commit || kind == Kind::abort ||
      kind == Kind::again) {
    frame.block = any16(random);
  }
  if (kind == Kind::state) {
    frame.chunk = any16(random, 0, kMostChunks - 1);
    frame.data = data.first(any_of(random, 1, static_cast<std::uint32_t>(data.size())));
  }
  if (kind == Kind::ready) frame.checksums = {.initiator = random.bits(), .responder = random.bits()};
  const bool may = kind == Kind::state || kind == Kind::ready;
  if (kind == Kind::ack || (may && random.below(2) != 0)) frame.acknowledgement = any_acknowledgement(random);
  return frame;
}

/// Every field equal, and the data byte for byte.
inline bool same(const Frame& a, const Frame& b) {
  return a.kind == b.kind && a.exchange == b.exchange && a.block == b.block && a.chunk == b.chunk &&
         std::ranges::equal(a.data, b.data) && a.acknowledgement == b.acknowledgement &&
         a.handshake == b.handshake && a.checksums == b.checksums && a.retry_ms == b.retry_ms &&
         a.code == b.code;
}

/// The frame's bytes, aligned as decode() wants them and with no spare byte behind; empty if it is refused.
inline std::vector<std::byte> encoded(const Frame& frame) {
  std::vector<std::byte> out(kLargestFrame);
  const auto bytes = encode(frame, out);
  if (!bytes.ok()) return {};
  return {bytes->begin(), bytes->end()};
}

}  // namespace popsgd::codec
