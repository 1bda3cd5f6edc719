#include "codec/codec.h"

#include "codec/schema.h"
#include "frames.h"

#include <popsgd/random.h>
#include <popsgd/status.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd::codec;
using popsgd::Purpose;
using popsgd::Random;
using popsgd::Status;
using Bytes = std::vector<std::byte>;
using Builder = popsgd_flatbuffers::FlatBufferBuilder;

constexpr std::uint64_t kSeed = 20191230;

Bytes noise(std::size_t size) {
  Random random(kSeed, Purpose::user, 99);
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
  return bytes;
}

/// Whether FlatBuffers' own verifier finds a table of the schema in the bytes.
bool verified(const Bytes& bytes) {
  popsgd_flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return wire::VerifyFrameBuffer(verifier);
}

/// decode() takes for malformed what the verifier does. If it lets the bytes pass, the frame keeps the rules and survives the
/// journey there and back.
bool refused_or_stable(const Bytes& bytes) {
  const auto frame = decode(bytes);
  if ((frame.status() != Status::malformed_frame) != verified(bytes)) return false;
  if (!frame.ok()) return true;
  const Bytes again = encoded(frame.value());
  const auto second = decode(again);
  return check(frame.value()) == Status::ok && second.ok() && same(frame.value(), second.value()) &&
         encoded(second.value()) == again;
}

/// What FlatBuffers' own builder makes of a frame, whatever its fields; with a file identifier of choice.
Bytes built(const std::function<void(wire::FrameBuilder&)>& add, std::size_t data = 0,
            const char* identifier = "PSG1") {
  Builder builder;
  const std::vector<std::uint8_t> chunk(data, 7);
  const auto vector = data == 0 ? 0 : builder.CreateVector(chunk);
  wire::FrameBuilder table(builder);
  if (data != 0) table.add_data(vector);
  add(table);
  builder.Finish(table.Finish(), identifier);
  const auto bytes = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  return {bytes.begin(), bytes.end()};
}

wire::Kind wired(Kind kind) {
  return static_cast<wire::Kind>(kind);
}

/// A frame as another implementation would write it.
Bytes built(const Frame& frame) {
  const wire::Place place(frame.block, frame.chunk);
  const Handshake& h = frame.handshake;
  const wire::Handshake handshake(h.nonce, h.fingerprint, h.counter, h.parameters, h.block_length, h.version,
                                  h.mtu, h.window, static_cast<wire::Format>(h.format),
                                  static_cast<wire::Standing>(h.standing));
  const wire::Checksums checksums(frame.checksums.initiator, frame.checksums.responder);
  const Acknowledgement none;
  const Acknowledgement& a = frame.acknowledgement ? *frame.acknowledgement : none;
  const wire::Acknowledgement acknowledgement(a.block, a.next, a.bitmap);
  const Kind kind = frame.kind;
  Builder builder;
  const auto vector =
      builder.CreateVector(reinterpret_cast<const std::uint8_t*>(frame.data.data()), frame.data.size());
  wire::FrameBuilder table(builder);
  table.add_exchange(frame.exchange);
  table.add_kind(wired(kind));
  if (kind == Kind::state || kind == Kind::ready || kind == Kind::commit || kind == Kind::abort ||
      kind == Kind::again)
    table.add_place(&place);
  if (kind == Kind::state) table.add_data(vector);
  if (kind == Kind::offer || kind == Kind::accept) {
    table.add_handshake(&handshake);
    table.add_layout(h.layout);
    table.add_lattices(static_cast<std::uint8_t>((h.quantises ? 1 : 0) + (h.rotates ? 2 : 0)));
  }
  if (kind == Kind::ready) table.add_checksums(&checksums);
  if (kind == Kind::busy) table.add_retry_ms(frame.retry_ms);
  if (kind == Kind::reject || kind == Kind::abort) table.add_code(frame.code);
  if (frame.acknowledgement) table.add_acknowledgement(&acknowledgement);
  wire::FinishFrameBuffer(builder, table.Finish());
  const auto bytes = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  return {bytes.begin(), bytes.end()};
}

/// Calls `test` with random frames of every kind.
void for_random_frames(int repeats, std::size_t most_data, const std::function<void(const Frame&)>& test) {
  const Bytes data = noise(most_data);
  for (const Kind kind : kEveryKind) {
    Random random(kSeed, Purpose::user, static_cast<std::uint32_t>(kind));
    for (int repeat = 0; repeat < repeats; ++repeat) {
      CAPTURE(kSeed);
      CAPTURE(static_cast<int>(kind));
      CAPTURE(repeat);
      test(any_frame(random, kind, data));
    }
  }
}

TEST_CASE("decode() of encode() is the identity on frames of every kind") {
  for_random_frames(300, kLargestFrame - kStateOverhead, [](const Frame& frame) {
    const Bytes bytes = encoded(frame);
    REQUIRE(!bytes.empty());
    const auto back = decode(bytes);
    REQUIRE(back.ok());
    CHECK(same(back.value(), frame));
  });
}

TEST_CASE("FlatBuffers' own reader finds every field of a frame") {
  for_random_frames(100, 1200, [](const Frame& frame) {
    const Bytes bytes = encoded(frame);
    const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
    popsgd_flatbuffers::Verifier verifier(first, bytes.size());
    REQUIRE(wire::VerifyFrameBuffer(verifier));
    const wire::Frame& table = *wire::GetFrame(first);
    CHECK(table.kind() == wired(frame.kind));
    CHECK(table.exchange() == frame.exchange);
    if (const auto* place = table.place()) {
      CHECK(place->block() == frame.block);
      CHECK(place->chunk() == frame.chunk);
    }
    if (frame.kind == Kind::state) {
      REQUIRE(table.data() != nullptr);
      REQUIRE(table.data()->size() == frame.data.size());
      CHECK(std::memcmp(table.data()->data(), frame.data.data(), frame.data.size()) == 0);
      CHECK(table.data()->data() + table.data()->size() == first + bytes.size());
    }
    REQUIRE((table.acknowledgement() != nullptr) == frame.acknowledgement.has_value());
    if (frame.acknowledgement) CHECK(table.acknowledgement()->bitmap() == frame.acknowledgement->bitmap);
    if (const auto* h = table.handshake()) {
      CHECK(h->nonce() == frame.handshake.nonce);
      CHECK(h->window() == frame.handshake.window);
      CHECK(h->standing() == static_cast<wire::Standing>(frame.handshake.standing));
    }
    if (const auto* sums = table.checksums()) CHECK(sums->responder() == frame.checksums.responder);
    if (const auto retry_ms = table.retry_ms()) CHECK(*retry_ms == frame.retry_ms);
    if (const auto code = table.code()) CHECK(*code == frame.code);
  });
}

TEST_CASE("what FlatBuffers' own builder writes is decoded to the same frame") {
  for_random_frames(100, 1200, [](const Frame& frame) {
    const Bytes bytes = built(frame);
    const auto back = decode(bytes);
    REQUIRE(back.ok());
    CHECK(same(back.value(), frame));
  });
}

TEST_CASE("no truncation of a frame reads beyond its end, nor passes as something it is not") {
  for_random_frames(4, 200, [](const Frame& frame) {
    const Bytes whole = encoded(frame);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      CAPTURE(size);
      CHECK(!decode(cut).ok());  // all bytes of a frame are needed: nothing follows its last field
    }
  });
}

TEST_CASE("a frame with any one bit flipped, or any one byte replaced, is refused or stable") {
  for_random_frames(2, 40, [](const Frame& frame) {
    Bytes bytes = encoded(frame);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      const std::byte original = bytes[at];
      bool stable = true;
      for (int value = 0; value < 256; ++value) {  // the eight flips are among them
        bytes[at] = static_cast<std::byte>(value);
        stable = stable && refused_or_stable(bytes);
      }
      bytes[at] = original;
      CAPTURE(at);
      CHECK(stable);
    }
  });
}

TEST_CASE("random changes of several bytes of a frame are refused or stable") {
  Random random(kSeed, Purpose::user, 50);
  for_random_frames(200, 60, [&random](const Frame& frame) {
    Bytes bytes = encoded(frame);
    for (std::uint32_t change = 0; change < 10; ++change) {
      // Most of them where the structure is.
      const auto among = random.below(2) == 0 ? std::min<std::size_t>(40, bytes.size()) : bytes.size();
      bytes[random.below(static_cast<std::uint32_t>(among))] = static_cast<std::byte>(random.below(256));
      CHECK(refused_or_stable(bytes));
    }
  });
}

TEST_CASE("a chunk of a model has at most 52 bytes beside it, or 44 without an acknowledgement") {
  const Bytes data = noise(1000);
  Frame frame{.kind = Kind::state, .exchange = 1, .data = data};
  const std::size_t without = encoded(frame).size() - data.size();
  frame.acknowledgement = Acknowledgement{};
  const std::size_t with = encoded(frame).size() - data.size();
  MESSAGE("STATE: " << without << " bytes beside the data, " << with << " with an acknowledgement");
  CHECK(with == kStateOverhead);
  CHECK(without == kStateOverheadWithoutAcknowledgement);
  CHECK(with <= 64);
  CHECK(without <= 56);
}

TEST_CASE("the data of a decoded frame lies on a 4-byte boundary") {
  for_random_frames(20, 100, [](const Frame& frame) {
    const Bytes bytes = encoded(frame);
    CHECK(reinterpret_cast<std::uintptr_t>(decode(bytes)->data.data()) % 4 == 0);
  });
}

TEST_CASE("a model of 1 MB crosses a link of 1200-byte frames for at most 1.06 times its bytes") {
  const Bytes model = noise(1'000'000);
  Bytes out(1200);
  std::size_t sent = 0;
  for (std::size_t at = 0; at < model.size();) {
    const std::size_t size = std::min(out.size() - kStateOverhead, model.size() - at);
    const Frame frame{.kind = Kind::state,
                      .exchange = ~0ULL,
                      .chunk = static_cast<std::uint16_t>(at / size),
                      .data = std::span(model).subspan(at, size),
                      .acknowledgement = Acknowledgement{.block = 1, .next = 2, .bitmap = 3}};
    const auto bytes = encode(frame, out);
    REQUIRE(bytes.ok());
    sent += bytes->size();
    at += size;
  }
  const double ratio = static_cast<double>(sent) / static_cast<double>(model.size());
  MESSAGE("1 MB by 1200-byte frames: " << ratio << " times its bytes");
  CHECK(ratio <= 1.06);
}

TEST_CASE("no frame without data is longer than kLargestControlFrame") {
  std::size_t longest = 0;
  for_random_frames(20, 10, [&longest](const Frame& frame) {
    if (frame.kind != Kind::state) longest = std::max(longest, encoded(frame).size());
  });
  MESSAGE("the longest frame without data: " << longest << " bytes");
  CHECK(longest == kLargestControlFrame);
}

TEST_CASE("encode() writes the beginning of its memory only, and needs no more than the frame") {
  for_random_frames(10, 300, [](const Frame& frame) {
    const Bytes bytes = encoded(frame);
    Bytes out(bytes.size() + 1, std::byte{0xA5});
    REQUIRE(encode(frame, std::span(out).first(bytes.size())).ok());
    CHECK(out.back() == std::byte{0xA5});
    CHECK(std::equal(bytes.begin(), bytes.end(), out.begin()));

    std::ranges::fill(out, std::byte{0x5A});
    CHECK(encode(frame, std::span(out).first(bytes.size() - 1)).status() == Status::buffer_too_small);
    CHECK(std::ranges::all_of(out, [](std::byte byte) { return byte == std::byte{0x5A}; }));
    CHECK(encode(frame, {}).status() == Status::buffer_too_small);
  });
}

TEST_CASE("fields that do not count for a frame's kind are not written") {
  const Bytes data = noise(10);
  Frame frame{.kind = Kind::commit, .exchange = 5, .block = 6};
  const Bytes plain = encoded(frame);
  frame.chunk = 9;
  frame.data = data;
  frame.acknowledgement = Acknowledgement{};
  frame.handshake.nonce = 3;
  frame.checksums.initiator = 4;
  frame.retry_ms = 7;
  frame.code = 8;
  CHECK(encoded(frame) == plain);
}

TEST_CASE("bytes off an 8-byte boundary are refused, not read") {
  const Bytes bytes = encoded(Frame{.kind = Kind::commit, .exchange = 5});
  Bytes moved(bytes.size() + kFrameAlignment);
  for (std::size_t shift = 1; shift < kFrameAlignment; ++shift) {
    std::ranges::copy(bytes, moved.begin() + static_cast<std::ptrdiff_t>(shift));
    CHECK(decode(std::span(moved).subspan(shift, bytes.size())).status() == Status::misaligned_frame);
  }
}

TEST_CASE("empty bytes, foreign identifiers and frames too long are malformed") {
  CHECK(decode({}).status() == Status::malformed_frame);
  const auto commit = [](wire::FrameBuilder& table) {
    const wire::Place place(1, 0);
    table.add_exchange(1);
    table.add_place(&place);
    table.add_kind(wire::Kind::commit);
  };
  CHECK(decode(built(commit)).ok());
  CHECK(decode(built(commit, 0, "PSG2")).status() == Status::malformed_frame);
  CHECK(decode(built(commit, 0, nullptr)).status() == Status::malformed_frame);
  Bytes long_one = built(commit);
  long_one.resize(kLargestFrame);
  CHECK(decode(long_one).ok());  // bytes that nothing points to do no harm
  long_one.resize(kLargestFrame + 1);
  CHECK(decode(long_one).status() == Status::malformed_frame);
}

TEST_CASE("unknown kinds and formats are refused on either side") {
  for (const int kind : {0, 11, 255}) {
    CHECK(check(Frame{.kind = static_cast<Kind>(kind)}) == Status::unknown_kind);
    Bytes out(200);
    CHECK(encode(Frame{.kind = static_cast<Kind>(kind)}, out).status() == Status::unknown_kind);
    const auto add = [kind](wire::FrameBuilder& table) {
      table.add_exchange(1);
      table.add_kind(static_cast<wire::Kind>(kind));
    };
    CHECK(decode(built(add)).status() == Status::unknown_kind);
  }
  Random random(kSeed, Purpose::user);
  Frame offer = any_frame(random, Kind::offer, {});
  Bytes bytes = encoded(offer);
  const auto* handshake = reinterpret_cast<const std::byte*>(wire::GetFrame(bytes.data())->handshake());
  bytes[static_cast<std::size_t>(handshake - bytes.data()) + 38] = std::byte{3};  // its last field but one
  CHECK(decode(bytes).status() == Status::unknown_format);
  offer.handshake.format = static_cast<Format>(3);
  CHECK(check(offer) == Status::unknown_format);
}

TEST_CASE("a frame that lacks a field its kind needs is refused") {
  const wire::Place place(1, 0);
  const auto refused = [](const std::function<void(wire::FrameBuilder&)>& add, std::size_t data = 0) {
    return decode(built(add, data)).status() == Status::wrong_fields;
  };
  for (const Kind kind : kEveryKind) {
    CAPTURE(static_cast<int>(kind));
    CHECK(refused([&](wire::FrameBuilder& table) {
      table.add_exchange(1);
      table.add_kind(wired(kind));
    }));
  }
  CHECK(refused(
      [&](wire::FrameBuilder& table) {  // state without an exchange
        table.add_place(&place);
      },
      4));
  CHECK(refused([&](wire::FrameBuilder& table) {  // state without data
    table.add_exchange(1);
    table.add_place(&place);
  }));
  CHECK(refused(
      [&](wire::FrameBuilder& table) {  // state without a place
        table.add_exchange(1);
      },
      4));
  CHECK(refused([&](wire::FrameBuilder& table) {  // abort without a code
    table.add_exchange(1);
    table.add_place(&place);
    table.add_kind(wire::Kind::abort);
  }));
}

TEST_CASE("a frame that has a field its kind does not know is refused") {
  const wire::Place place(1, 0);
  const wire::Checksums checksums(1, 2);
  const auto commit_and = [&](const std::function<void(wire::FrameBuilder&)>& more, std::size_t data = 0) {
    const auto add = [&](wire::FrameBuilder& table) {
      table.add_exchange(1);
      table.add_place(&place);
      table.add_kind(wire::Kind::commit);
      more(table);
    };
    return decode(built(add, data)).status();
  };
  CHECK(commit_and([](wire::FrameBuilder&) {}) == Status::ok);
  CHECK(commit_and([](wire::FrameBuilder&) {}, 4) == Status::wrong_fields);
  CHECK(commit_and([&](wire::FrameBuilder& table) { table.add_checksums(&checksums); }) ==
        Status::wrong_fields);
  CHECK(commit_and([](wire::FrameBuilder& table) { table.add_code(1); }) == Status::wrong_fields);
  CHECK(commit_and([](wire::FrameBuilder& table) { table.add_retry_ms(1); }) == Status::wrong_fields);
}

TEST_CASE("a chunk's number in a frame that is not STATE is refused") {
  const wire::Place place(1, 1);
  const auto add = [&](wire::FrameBuilder& table) {
    table.add_exchange(1);
    table.add_place(&place);
    table.add_kind(wire::Kind::commit);
  };
  CHECK(decode(built(add)).status() == Status::invalid_field);
}

TEST_CASE("fields outside their range are refused by encode(), and by decode() from another's builder") {
  const Bytes data = noise(kLargestFrame);
  const auto refused = [](const Frame& frame) {
    Bytes out(2 * kLargestFrame);
    return check(frame) == Status::invalid_field && encode(frame, out).status() == Status::invalid_field;
  };
  const Frame state{.kind = Kind::state, .exchange = 1, .data = std::span(data).first(8)};
  REQUIRE(check(state) == Status::ok);

  SUBCASE("chunks") {
    Frame frame = state;
    frame.chunk = 65535;
    CHECK(refused(frame));
    CHECK(decode(built(frame)).status() == Status::invalid_field);
    frame.chunk = 65534;
    CHECK(decode(built(frame)).ok());
  }
  SUBCASE("data") {
    Frame frame = state;
    frame.data = {};
    CHECK(refused(frame));
    CHECK(decode(built(frame)).status() == Status::invalid_field);
    frame.data = std::span(data).first(kLargestFrame - kStateOverhead + 1);
    CHECK(refused(frame));
    frame.data = std::span(data).first(kLargestFrame - kStateOverhead);
    CHECK(check(frame) == Status::ok);
  }
  SUBCASE("acknowledgements") {
    CHECK(refused(Frame{.kind = Kind::ack}));
    Frame frame{.kind = Kind::ack, .acknowledgement = Acknowledgement{.next = 65534, .bitmap = 1}};
    CHECK(refused(frame));
    CHECK(decode(built(frame)).status() == Status::invalid_field);
    frame.acknowledgement = Acknowledgement{.next = 65533, .bitmap = 2};
    CHECK(refused(frame));
    frame.acknowledgement = Acknowledgement{.next = 65533, .bitmap = 1};  // chunk 65534, the last
    CHECK(decode(built(frame)).ok());
    frame.acknowledgement = Acknowledgement{.next = 65535, .bitmap = 0};  // all have arrived
    CHECK(decode(built(frame)).ok());
  }
  SUBCASE("handshakes") {
    Random random(kSeed, Purpose::user);
    const Frame good = any_frame(random, Kind::accept, {});
    const auto broken = [&](const std::function<void(Handshake&)>& by) {
      Frame frame = good;
      by(frame.handshake);
      return refused(frame) && decode(built(frame)).status() == Status::invalid_field;
    };
    CHECK(broken([](Handshake& h) { h.parameters = 0; }));
    CHECK(broken([](Handshake& h) { h.block_length = 0; }));
    CHECK(broken([](Handshake& h) { h.window = 0; }));
    CHECK(broken([](Handshake& h) { h.standing = static_cast<Standing>(3); }));
    CHECK(broken([](Handshake& h) { h.mtu = kLeastMtu - 1; }));
    CHECK(broken([](Handshake& h) {
      h.parameters = 65536 * 10 + 1;
      h.block_length = 10;
    }));
    CHECK(!broken([](Handshake& h) {
      h.parameters = 65536 * 10;
      h.block_length = 10;
    }));
  }
}

}  // namespace
