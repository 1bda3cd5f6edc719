#include "codec/codec.h"

#include "codec/schema.h"
#include "codec/table_reader.h"
#include "codec/table_writer.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace popsgd::codec {
namespace {

using Table = wire::Frame;

/// Sets of the table's fields that a frame may have beside exchange and kind, which all have.
namespace field {
constexpr std::uint8_t place = 1;
constexpr std::uint8_t data = 2;
constexpr std::uint8_t acknowledgement = 4;
constexpr std::uint8_t handshake = 8;
constexpr std::uint8_t checksums = 16;
constexpr std::uint8_t retry_ms = 32;
constexpr std::uint8_t code = 64;
constexpr std::uint8_t numbers = 128;  // layout, lattices
}  // namespace field

/// What the frames of a kind carry.
struct Fields {
  std::uint8_t needed = 0;    ///< always
  std::uint8_t optional = 0;  ///< where there is something to say
};

constexpr std::size_t kKinds = 11;

constexpr std::array<Fields, kKinds> kFields{{
    {},                                                         // no kind
    {field::handshake, field::numbers},                         // offer
    {field::handshake, field::numbers},                         // accept
    {field::retry_ms},                                          // busy
    {field::code},                                              // reject
    {field::place | field::data, field::acknowledgement},       // state
    {field::acknowledgement},                                   // ack
    {field::place | field::checksums, field::acknowledgement},  // ready
    {field::place},                                             // commit
    {field::place | field::code},                               // abort
    {field::place},                                             // again
}};
static_assert(static_cast<std::size_t>(Kind::again) + 1 == kKinds);
static_assert(static_cast<std::size_t>(wire::Kind::MAX) + 1 == kKinds);

constexpr bool known(Kind kind) noexcept {
  return kind >= Kind::offer && kind <= Kind::again;
}

/// Of a known kind.
constexpr Fields fields_of(Kind kind) noexcept {
  return kFields[static_cast<std::size_t>(kind)];
}

// Structs travel as they lie in memory; of a handshake what comes before the schema's later fields.
static_assert(sizeof(Acknowledgement) == sizeof(wire::Acknowledgement) && alignof(Acknowledgement) == 4);
static_assert(sizeof(Checksums) == sizeof(wire::Checksums) && alignof(Checksums) == 4);
static_assert(sizeof(wire::Handshake) == 40 && alignof(wire::Handshake) == alignof(Handshake));
static_assert(offsetof(Handshake, nonce) == 0 && offsetof(Handshake, fingerprint) == 8 &&
              offsetof(Handshake, counter) == 16 && offsetof(Handshake, parameters) == 24 &&
              offsetof(Handshake, block_length) == 28 && offsetof(Handshake, version) == 32 &&
              offsetof(Handshake, mtu) == 34 && offsetof(Handshake, window) == 36 &&
              offsetof(Handshake, format) == 38 && offsetof(Handshake, standing) == 39);
/// Block, chunk.
using Place = std::array<std::uint16_t, 2>;
static_assert(sizeof(wire::Place) == 2 * sizeof(std::uint16_t) &&
              alignof(wire::Place) == alignof(std::uint16_t));

constexpr std::size_t kMostBlocks = 65536;
constexpr std::size_t kMostData = kLargestFrame - kStateOverhead;

bool valid(const Acknowledgement& acknowledgement) noexcept {
  const auto last =
      std::size_t{acknowledgement.next} + static_cast<std::size_t>(std::bit_width(acknowledgement.bitmap));
  return acknowledgement.bitmap == 0 || last < kMostChunks;
}

bool valid(const Handshake& handshake) noexcept {
  return handshake.parameters > 0 && handshake.block_length > 0 && handshake.window > 0 &&
         (handshake.parameters - 1) / handshake.block_length < kMostBlocks && handshake.mtu >= kLeastMtu &&
         handshake.standing <= Standing::fresh && (handshake.quantises || !handshake.rotates);
}

/// The fields the frame is written with; its kind is known.
std::uint8_t fields_of(const Frame& frame) noexcept {
  const auto [needed, optional] = fields_of(frame.kind);
  const Handshake& h = frame.handshake;
  std::uint8_t there = 0;
  if (frame.acknowledgement) there |= field::acknowledgement;
  if (h.layout != 0 || h.quantises) there |= field::numbers;
  return static_cast<std::uint8_t>(needed | (optional & there));
}

/// The slot of the vtable that a frame with these fields needs last.
std::uint16_t last_slot(Kind kind, std::uint8_t fields) noexcept {
  if ((fields & field::numbers) != 0) return Table::VT_LATTICES;
  if ((fields & field::code) != 0) return Table::VT_CODE;
  if ((fields & field::retry_ms) != 0) return Table::VT_RETRY_MS;
  if ((fields & field::checksums) != 0) return Table::VT_CHECKSUMS;
  if ((fields & field::handshake) != 0) return Table::VT_HANDSHAKE;
  if (kind != Kind::state) return Table::VT_KIND;
  return (fields & field::acknowledgement) != 0 ? Table::VT_ACKNOWLEDGEMENT : Table::VT_DATA;
}

constexpr std::uint8_t kQuantises = 1;
constexpr std::uint8_t kRotates = 2;

std::uint8_t lattices_of(const Handshake& h) noexcept {
  return static_cast<std::uint8_t>((h.quantises ? kQuantises : 0) | (h.rotates ? kRotates : 0));
}

/// All of a frame before its data.
using Head = TableWriter<104>;
static_assert(kLargestControlFrame <= 104 && kStateOverhead <= 96);

Head head_of(const Frame& frame) noexcept {
  const std::uint8_t fields = fields_of(frame);
  const auto has = [fields](std::uint8_t f) { return (fields & f) != 0; };
  const bool state = frame.kind == Kind::state;
  Head head(wire::FrameIdentifier(), last_slot(frame.kind, fields));
  head.put(Table::VT_EXCHANGE, frame.exchange);
  if (has(field::handshake))
    head.put(Table::VT_HANDSHAKE, &frame.handshake, sizeof(wire::Handshake), alignof(wire::Handshake));
  if (has(field::data)) head.put_offset(Table::VT_DATA);
  if (has(field::acknowledgement)) head.put(Table::VT_ACKNOWLEDGEMENT, *frame.acknowledgement);
  if (has(field::checksums)) head.put(Table::VT_CHECKSUMS, frame.checksums);
  if (has(field::place))
    head.put(Table::VT_PLACE, Place{frame.block, state ? frame.chunk : std::uint16_t{0}});
  if (has(field::numbers)) head.put(Table::VT_LAYOUT, frame.handshake.layout);
  if (has(field::retry_ms)) head.put(Table::VT_RETRY_MS, frame.retry_ms);
  if (has(field::code)) head.put(Table::VT_CODE, frame.code);
  if (!state) head.put(Table::VT_KIND, static_cast<std::uint8_t>(frame.kind));  // state is the default
  if (has(field::numbers)) head.put(Table::VT_LATTICES, lattices_of(frame.handshake));
  if (has(field::data)) head.begin_vector(frame.data.size());
  return head;
}

/// Reads what is there, whatever the kind; false: it is no table of this schema.
[[gnu::noinline]] bool read(std::span<const std::byte> bytes, Frame& frame, bool& named,
                            std::uint8_t& present) noexcept {
  TableReader table(bytes, wire::FrameIdentifier());
  const auto note = [&present](std::uint8_t field, bool there) {
    present |= there ? field : std::uint8_t{0};
  };
  Handshake& h = frame.handshake;
  Place place{};
  Acknowledgement acknowledgement;
  std::uint8_t lattices = 0;
  named = table.get(Table::VT_EXCHANGE, frame.exchange);
  note(field::place, table.get(Table::VT_PLACE, place));
  note(field::data, table.get_vector(Table::VT_DATA, frame.data));
  note(field::acknowledgement, table.get(Table::VT_ACKNOWLEDGEMENT, acknowledgement));
  table.get(Table::VT_KIND, frame.kind);
  note(field::handshake,
       table.get(Table::VT_HANDSHAKE, &h, sizeof(wire::Handshake), alignof(wire::Handshake)));
  note(field::checksums, table.get(Table::VT_CHECKSUMS, frame.checksums));
  note(field::retry_ms, table.get(Table::VT_RETRY_MS, frame.retry_ms));
  note(field::code, table.get(Table::VT_CODE, frame.code));
  table.get(Table::VT_LAYOUT, h.layout);
  table.get(Table::VT_LATTICES, lattices);
  note(field::numbers, h.layout != 0 || lattices != 0);
  frame.block = place[0];
  frame.chunk = place[1];
  if ((present & field::acknowledgement) != 0) frame.acknowledgement = acknowledgement;
  h.quantises = (lattices & kQuantises) != 0;
  h.rotates = (lattices & kRotates) != 0;
  return table.sound();
}

}  // namespace

Status check(const Frame& frame) noexcept {
  if (!known(frame.kind)) return Status::unknown_kind;
  const auto [needed, optional] = fields_of(frame.kind);
  if ((needed & field::handshake) != 0) {
    if (frame.handshake.format > Format::int8) return Status::unknown_format;
    if (!valid(frame.handshake)) return Status::invalid_field;
  }
  if ((needed & field::data) != 0) {
    if (frame.data.empty() || frame.data.size() > kMostData) return Status::invalid_field;
    if (frame.chunk >= kMostChunks) return Status::invalid_field;
  }
  if ((needed & field::acknowledgement) != 0 && !frame.acknowledgement) return Status::invalid_field;
  const bool acknowledges = ((needed | optional) & field::acknowledgement) != 0 && frame.acknowledgement;
  if (acknowledges && !valid(*frame.acknowledgement)) return Status::invalid_field;
  return Status::ok;
}

[[gnu::noinline]] Result<std::span<const std::byte>> encode(const Frame& frame,
                                                            std::span<std::byte> out) noexcept {
  if (const Status status = check(frame); status != Status::ok) return status;
  const Head writer = head_of(frame);
  const std::span<const std::byte> head = writer.bytes();
  const auto data = frame.kind == Kind::state ? frame.data : std::span<const std::byte>{};
  const std::size_t size = head.size() + data.size();
  if (size > out.size()) return Status::buffer_too_small;
  if (!data.empty()) std::memmove(out.data() + head.size(), data.data(), data.size());
  std::memcpy(out.data(), head.data(), head.size());
  return std::span<const std::byte>(out.first(size));
}

[[gnu::noinline]] Status decode(std::span<const std::byte> bytes, Frame& frame) noexcept {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % kFrameAlignment != 0) return Status::misaligned_frame;
  if (bytes.size() > kLargestFrame) return Status::malformed_frame;
  frame.kind = Kind::state;  // the default, of which nothing is sent
  bool named = false;
  std::uint8_t present = 0;
  if (!read(bytes, frame, named, present)) return Status::malformed_frame;

  if (!known(frame.kind)) return Status::unknown_kind;
  const auto [needed, optional] = fields_of(frame.kind);
  if (!named || (needed & ~present) != 0) return Status::wrong_fields;
  if ((present & ~(needed | optional)) != 0) return Status::wrong_fields;
  if (frame.kind != Kind::state && frame.chunk != 0) return Status::invalid_field;
  return check(frame);
}

}  // namespace popsgd::codec
