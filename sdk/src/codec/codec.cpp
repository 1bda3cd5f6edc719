#include "codec/codec.h"

#include "codec/schema.h"
#include "codec/table_writer.h"

#include <array>
#include <bit>
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

/// The fields the table has.
std::uint8_t fields_of(const Table& table) noexcept {
  std::uint8_t fields = 0;
  if (table.place() != nullptr) fields |= field::place;
  if (table.data() != nullptr) fields |= field::data;
  if (table.acknowledgement() != nullptr) fields |= field::acknowledgement;
  if (table.handshake() != nullptr) fields |= field::handshake;
  if (table.checksums() != nullptr) fields |= field::checksums;
  if (table.retry_ms()) fields |= field::retry_ms;
  if (table.code()) fields |= field::code;
  if (table.layout() != 0 || table.lattices() != 0) fields |= field::numbers;
  return fields;
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

wire::Handshake to_wire(const Handshake& h) noexcept {
  return {h.nonce,
          h.fingerprint,
          h.counter,
          h.parameters,
          h.block_length,
          h.version,
          h.mtu,
          h.window,
          static_cast<wire::Format>(h.format),
          static_cast<wire::Standing>(h.standing)};
}

constexpr std::uint8_t kQuantises = 1;
constexpr std::uint8_t kRotates = 2;

std::uint8_t lattices_of(const Handshake& h) noexcept {
  return static_cast<std::uint8_t>((h.quantises ? kQuantises : 0) | (h.rotates ? kRotates : 0));
}

Handshake from_wire(const wire::Handshake& h, const Table& table) noexcept {
  return {.nonce = h.nonce(),
          .fingerprint = h.fingerprint(),
          .counter = h.counter(),
          .parameters = h.parameters(),
          .block_length = h.block_length(),
          .version = h.version(),
          .mtu = h.mtu(),
          .window = h.window(),
          .format = static_cast<Format>(h.format()),
          .standing = static_cast<Standing>(h.standing()),
          .layout = table.layout(),
          .quantises = (table.lattices() & kQuantises) != 0,
          .rotates = (table.lattices() & kRotates) != 0};
}

/// The table of a frame, verified; or none.
const Table* verified(std::span<const std::byte> bytes) noexcept {
  // One flat table; the rest is room for agents that append to the schema.
  popsgd_flatbuffers::Verifier::Options limits;
  limits.max_depth = 4;
  limits.max_tables = 4;
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  popsgd_flatbuffers::Verifier verifier(first, bytes.size(), limits);
  return wire::VerifyFrameBuffer(verifier) ? wire::GetFrame(first) : nullptr;
}

/// The frame of a table that has the fields of its kind.
Frame read(const Table& table) noexcept {
  Frame frame;
  frame.kind = static_cast<Kind>(table.kind());
  frame.exchange = *table.exchange();
  if (const auto* place = table.place()) {
    frame.block = place->block();
    frame.chunk = place->chunk();
  }
  if (const auto* data = table.data()) frame.data = std::as_bytes(std::span(data->data(), data->size()));
  if (const auto* ack = table.acknowledgement()) {
    frame.acknowledgement = {.block = ack->block(), .next = ack->next(), .bitmap = ack->bitmap()};
  }
  if (const auto* handshake = table.handshake()) frame.handshake = from_wire(*handshake, table);
  if (const auto* sums = table.checksums()) frame.checksums = {sums->initiator(), sums->responder()};
  if (const auto retry_ms = table.retry_ms()) frame.retry_ms = *retry_ms;
  if (const auto code = table.code()) frame.code = *code;
  return frame;
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
  if (has(field::handshake)) head.put(Table::VT_HANDSHAKE, to_wire(frame.handshake));
  if (has(field::data)) head.put_offset(Table::VT_DATA);
  if (has(field::acknowledgement)) {
    const Acknowledgement& ack = *frame.acknowledgement;
    head.put(Table::VT_ACKNOWLEDGEMENT, wire::Acknowledgement(ack.block, ack.next, ack.bitmap));
  }
  if (has(field::checksums)) {
    head.put(Table::VT_CHECKSUMS, wire::Checksums(frame.checksums.initiator, frame.checksums.responder));
  }
  if (has(field::place)) {
    head.put(Table::VT_PLACE, wire::Place(frame.block, state ? frame.chunk : std::uint16_t{0}));
  }
  if (has(field::numbers)) head.put(Table::VT_LAYOUT, frame.handshake.layout);
  if (has(field::retry_ms)) head.put(Table::VT_RETRY_MS, frame.retry_ms);
  if (has(field::code)) head.put(Table::VT_CODE, frame.code);
  if (!state) head.put(Table::VT_KIND, static_cast<std::uint8_t>(frame.kind));  // state is the default
  if (has(field::numbers)) head.put(Table::VT_LATTICES, lattices_of(frame.handshake));
  if (has(field::data)) head.begin_vector(frame.data.size());
  return head;
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

Result<std::span<const std::byte>> encode(const Frame& frame, std::span<std::byte> out) noexcept {
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

Result<Frame> decode(std::span<const std::byte> bytes) noexcept {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % kFrameAlignment != 0) return Status::misaligned_frame;
  if (bytes.size() > kLargestFrame) return Status::malformed_frame;
  const Table* table = verified(bytes);
  if (table == nullptr) return Status::malformed_frame;

  const auto kind = static_cast<Kind>(table->kind());
  if (!known(kind)) return Status::unknown_kind;
  const auto [needed, optional] = fields_of(kind);
  const std::uint8_t present = fields_of(*table);
  if (!table->exchange() || (needed & ~present) != 0) return Status::wrong_fields;
  if ((present & ~(needed | optional)) != 0) return Status::wrong_fields;

  const Frame frame = read(*table);
  if (kind != Kind::state && frame.chunk != 0) return Status::invalid_field;
  if (const Status status = check(frame); status != Status::ok) return status;
  return frame;
}

}  // namespace popsgd::codec
