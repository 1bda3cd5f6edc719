#include "links.h"
#include "serial_wire.h"

#include <popsgd/random.h>

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::test;

namespace {

// What a sender writes for these frames.
Bytes stream_of(const std::vector<Bytes>& frames, std::uint16_t mtu = 300) {
  SerialWire wire(mtu);
  Diary nobody;
  wire.link.open(nobody);
  for (const Bytes& frame : frames) CHECK(wire.link.send(frame) == Status::ok);
  return wire.written;
}

}  // namespace

TEST_CASE("a frame follows whatever garbage was before, in pieces of any size") {
  Random random(2, Purpose::user);
  for (int k = 0; k < 300; ++k) {
    Bytes stream(random.bits() % 1000);
    for (std::byte& byte : stream) byte = static_cast<std::byte>(random.bits());
    const Bytes frame = frame_of(1 + random.bits() % 300, random.bits());
    const Bytes good = stream_of({frame});
    stream.insert(stream.end(), good.begin(), good.end());
    SerialWire wire(300);
    Diary diary;
    wire.link.open(diary);
    for (std::span<const std::byte> rest = stream; !rest.empty();) {
      const std::size_t count = std::min<std::size_t>(rest.size(), 1 + random.bits() % 50);
      wire.link.feed(rest.first(count));
      rest = rest.subspan(count);
    }
    REQUIRE(diary.frames.size() == 1);  // garbage with a right checksum: once in 2^32
    CHECK(diary.frames[0] == frame);
    CHECK(diary.misaligned == 0);
  }
}

TEST_CASE("each bit that flips costs the frames it touches, and no other") {
  const std::vector<Bytes> frames{frame_of(20, 1), frame_of(20, 2), frame_of(20, 3), frame_of(20, 4)};
  const Bytes stream = stream_of(frames);
  for (std::size_t bit = 0; bit < stream.size() * 8; ++bit) {
    Bytes damaged = stream;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    SerialWire wire(300);
    Diary diary;
    wire.link.open(diary);
    wire.link.feed(damaged);
    CHECK(diary.frames.size() >= 2);  // a delimiter parts two
    CHECK(diary.frames.size() + wire.link.metrics().damaged <= 5);
    for (const Bytes& frame : diary.frames) CHECK(std::ranges::find(frames, frame) != frames.end());
  }
}

TEST_CASE("a frame longer than the MTU is dropped and counted, and the next one is whole") {
  SerialWire wire(300);
  Diary diary;
  wire.link.open(diary);
  wire.link.feed(stream_of({frame_of(301), frame_of(5000), frame_of(300)}, 5000));
  CHECK(wire.link.metrics().overlong == 2);
  REQUIRE(diary.frames.size() == 1);
  CHECK(diary.frames[0] == frame_of(300));
}

TEST_CASE("what the port does not take waits, in order, up to the memory given") {
  SerialWire wire(300, 3);
  Diary diary;
  wire.link.open(diary);
  wire.room = 100;
  std::vector<Bytes> sent;
  for (std::uint32_t k = 0; k < 10 && wire.link.send(frame_of(300, k)) == Status::ok; ++k)
    sent.push_back(frame_of(300, k));
  CHECK(sent.size() == 3);
  while (wire.link.pending() > 0) {
    wire.room = 7;
    wire.link.pump();
  }
  CHECK(diary.writables == 1);
  SerialWire other(300);
  Diary reader;
  other.link.open(reader);
  other.link.feed(wire.written);
  CHECK(reader.frames == sent);
}

TEST_CASE("a link that was closed may be opened again") {
  SerialWire wire(300);
  Diary diary;
  wire.link.open(diary);
  wire.link.close();
  wire.link.pump();
  wire.link.pump();
  CHECK(diary.closings == 1);
  wire.link.feed(stream_of({frame_of(9)}));
  CHECK(diary.frames.empty());
  wire.link.open(diary);
  wire.link.feed(stream_of({frame_of(9)}));
  CHECK(diary.frames.size() == 1);
}
