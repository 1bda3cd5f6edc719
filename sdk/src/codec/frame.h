// A frame between two agents, decoded: what the protocol's state machine reads and writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

namespace popsgd::codec {

/// The version of the protocol and of its frames. Agents of different versions do not exchange models.
inline constexpr std::uint16_t kVersion = 2;

enum class Kind : std::uint8_t {
  offer = 1,   ///< initiator to responder: let us average; has a handshake
  accept = 2,  ///< responder: yes; has a handshake and the offer's nonce
  busy = 3,    ///< responder: not now; ask again in `retry_ms`
  reject = 4,  ///< responder: never, for `code`
  state = 5,   ///< a chunk of the sender's snapshot of a block
  ack = 6,     ///< chunks of a block received
  ready = 7,   ///< responder: I have staged this block; has the checksums of both snapshots
  commit = 8,  ///< initiator: the block is decided; apply it
  abort = 9,   ///< either: this exchange is over, for `code`
  again = 10,  ///< initiator: the responder's snapshot of this block was read wrong; wanted in more bits
};

/// What the sender's parameters are. Any two can be averaged.
enum class Format : std::uint8_t {
  float32 = 0,  ///< IEEE 754 binary32
  int16 = 1,    ///< two's complement, each tensor with its own power-of-two unit
  int8 = 2,
};

/// What an agent thinks of its own model. When the two of an exchange differ, the lesser moves alone.
enum class Standing : std::uint8_t {
  settled = 0,
  astray = 1,  ///< refused several times in a row: moves half of the way, its partner stays
  fresh = 2,   ///< has learned nothing yet: takes its partner's model over
};

/// Which chunks of a block have arrived.
struct Acknowledgement {
  std::uint16_t block = 0;
  std::uint16_t next = 0;    ///< all chunks before this one
  std::uint32_t bitmap = 0;  ///< bit k: chunk next + 1 + k too

  friend bool operator==(const Acknowledgement&, const Acknowledgement&) = default;
};

/// What either side says of itself in OFFER and ACCEPT. In ACCEPT block_length, mtu and window are at most the offer's.
struct Handshake {
  std::uint64_t nonce = 0;         ///< of the sender
  std::uint64_t fingerprint = 0;   ///< of model and swarm: equal, or no exchange
  std::uint64_t counter = 0;       ///< gossip-averaged steps, 48.16 bits
  std::uint32_t parameters = 0;    ///< length of the model
  std::uint32_t block_length = 0;  ///< parameters in a block; the last block may be shorter
  std::uint16_t version = kVersion;
  std::uint16_t mtu = 0;     ///< largest frame the sender can receive, bytes
  std::uint16_t window = 0;  ///< most chunks it can have in flight
  Format format = Format::float32;
  Standing standing = Standing::settled;
  std::uint32_t layout =
      0;                   ///< of the lengths of the model's tensors: equal, or no exchange; 0: a single one
  bool quantises = false;  ///< may send points of a lattice modulo a power of two
  bool rotates = false;    ///< may rotate them before, if its partner does
  std::uint16_t unused = 0;  // see Frame

  friend bool operator==(const Handshake&, const Handshake&) = default;
};

/// CRC-32C of the decoded snapshots of a block: of floats, or of points as they are before they are reduced.
struct Checksums {
  std::uint32_t initiator = 0;
  std::uint32_t responder = 0;

  friend bool operator==(const Checksums&, const Checksums&) = default;
};

/// One frame. `kind` says which fields count; the others are left at their defaults. Neither this nor its parts end with padding:
/// a compiler that may not copy padding copies bytes, where it could copy words.
struct Frame {
  Kind kind = Kind::abort;
  /// offer, busy, reject: the offer's nonce. accept: the offer's nonce, its own is in the handshake. Otherwise the
  /// exchange's name, made of both nonces; its lowest two bits count the attempts at the block before this one.
  std::uint64_t exchange = 0;
  std::uint16_t block = 0;                           ///< state, ready, commit, abort
  std::uint16_t chunk = 0;                           ///< state
  std::span<const std::byte> data{};                 ///< state: the chunk; a view into the frame's bytes
  std::optional<Acknowledgement> acknowledgement{};  ///< ack always; state, ready if there is news
  Handshake handshake{};                             ///< offer, accept
  Checksums checksums{};                             ///< ready
  std::uint16_t retry_ms = 0;                        ///< busy
  std::uint8_t code = 0;                             ///< reject, abort
  std::uint8_t unused[5]{};
};
static_assert(std::has_unique_object_representations_v<Handshake>);

}  // namespace popsgd::codec
