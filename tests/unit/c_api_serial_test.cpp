// The serial link of C, against that of C++, and against whatever a caller in C may give.
#include <popsgd/c/serial.h>
#include <popsgd/serial/serial_link.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Link;
using popsgd::LinkUser;
using popsgd::serial::SerialLink;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint16_t kMtu = 300;

Bytes frame_of(std::size_t size, unsigned first) {
  Bytes frame(size);
  for (std::size_t k = 0; k < size; ++k) frame[k] = static_cast<std::uint8_t>(first + k * k);
  return frame;
}

// An end of a line: what it has written, what it was told. Its port takes `room` bytes more.
class End {
 public:
  explicit End(std::size_t behind = 1) : memory(POPSGD_SERIAL_WORDS(kMtu, behind)) {
    const popsgd_serial_port port{take, this};
    REQUIRE(popsgd_serial_init(&link, kMtu, &port, memory.data(), 8 * memory.size()) == POPSGD_OK);
    const popsgd_serial_user user{receive, be_writable, be_closed, this};
    REQUIRE(popsgd_serial_open(link, &user) == POPSGD_OK);
  }
  End(const End&) = delete;
  End& operator=(const End&) = delete;
  End(End&&) = delete;
  End& operator=(End&&) = delete;
  ~End() = default;

  popsgd_status send(const Bytes& frame) { return popsgd_serial_send(link, frame.data(), frame.size()); }
  popsgd_status feed(const Bytes& bytes) { return popsgd_serial_feed(link, bytes.data(), bytes.size()); }
  [[nodiscard]] popsgd_serial_counts counted() const {
    popsgd_serial_counts counts{};
    popsgd_serial_counted(link, &counts);
    return counts;
  }

  std::vector<std::uint64_t> memory;
  popsgd_serial* link = nullptr;
  std::size_t room = std::numeric_limits<std::size_t>::max();
  Bytes written;
  std::vector<Bytes> frames;
  int writables = 0;
  int closings = 0;
  bool close_at_once = false;  // from within the first callback
  bool open_again = false;     // from within `closed`

 private:
  static End& end(void* context) { return *static_cast<End*>(context); }
  static std::size_t take(void* context, const void* bytes, std::size_t count) {
    End& self = end(context);
    const std::size_t taken = std::min(self.room, count);
    self.room -= taken;
    const auto* from = static_cast<const std::uint8_t*>(bytes);
    self.written.insert(self.written.end(), from, from + taken);
    return taken;
  }
  static void receive(void* context, popsgd_serial* link, const void* frame, std::size_t size) {
    CHECK(reinterpret_cast<std::uintptr_t>(frame) % 8 == 0);
    const auto* from = static_cast<const std::uint8_t*>(frame);
    end(context).frames.emplace_back(from, from + size);
    if (end(context).close_at_once) popsgd_serial_close(link);
  }
  static void be_writable(void* context, popsgd_serial* link) {
    ++end(context).writables;
    if (end(context).close_at_once) popsgd_serial_close(link);
  }
  static void be_closed(void* context, popsgd_serial* link) {
    ++end(context).closings;
    const popsgd_serial_user user{receive, be_writable, be_closed, context};
    if (end(context).open_again) CHECK(popsgd_serial_open(link, &user) == POPSGD_OK);
  }
};

// What an end writes for these frames.
Bytes stream_of(const std::vector<Bytes>& frames) {
  End end;
  for (const Bytes& frame : frames) CHECK(end.send(frame) == POPSGD_OK);
  return end.written;
}

struct Nobody final : LinkUser {
  void received(Link&, std::span<const std::byte>) noexcept override {}
  void writable(Link&) noexcept override {}
  void closed(Link&) noexcept override {}
};

}  // namespace

TEST_CASE("C: frames of every size go along a serial line, in pieces of any size") {
  for (std::size_t piece = 1; piece < 40; piece += 13) {
    End from;
    End to;
    std::vector<Bytes> sent;
    for (std::size_t size = 1; size <= kMtu; ++size) {
      sent.push_back(frame_of(size, static_cast<unsigned>(size)));
      CHECK(from.send(sent.back()) == POPSGD_OK);
    }
    for (std::size_t at = 0; at < from.written.size(); at += piece)
      CHECK(popsgd_serial_feed(to.link, from.written.data() + at,
                               std::min(piece, from.written.size() - at)) == POPSGD_OK);
    CHECK(to.frames == sent);
    CHECK(to.counted().received == kMtu);
    CHECK(to.counted().damaged + to.counted().overlong == 0);
  }
}

TEST_CASE("C: what a serial link writes is what that of C++ writes") {
  std::vector<std::uint64_t> memory(SerialLink::memory_size(kMtu, 1) / 8 + 1);
  Bytes written;
  SerialLink link(kMtu,
                  {[](void* into, std::span<const std::byte> bytes) noexcept {
                     for (const std::byte byte : bytes)
                       static_cast<Bytes*>(into)->push_back(std::to_integer<std::uint8_t>(byte));
                     return bytes.size();
                   },
                   &written},
                  std::as_writable_bytes(std::span(memory)));
  Nobody nobody;
  link.open(nobody);
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{254}, std::size_t{300}}) {
    const Bytes frame = frame_of(size, 9);
    CHECK(link.send(std::as_bytes(std::span(frame))) == popsgd::Status::ok);
  }
  CHECK(stream_of({frame_of(1, 9), frame_of(7, 9), frame_of(254, 9), frame_of(300, 9)}) == written);
}

TEST_CASE("C: a damaged byte on a serial line costs the frames that it touches, and no other") {
  const std::vector<Bytes> frames{frame_of(20, 1), frame_of(20, 2), frame_of(20, 3), frame_of(20, 4)};
  const Bytes stream = stream_of(frames);
  for (std::size_t k = 0; k < stream.size(); ++k) {
    Bytes damaged = stream;
    damaged[k] ^= 0x41;
    End end;
    CHECK(end.feed(damaged) == POPSGD_OK);
    CHECK(end.frames.size() >= 2);  // a delimiter parts two
    CHECK(end.counted().received == end.frames.size());
    for (const Bytes& frame : end.frames) CHECK(std::ranges::find(frames, frame) != frames.end());
  }
}

TEST_CASE(
    "C: a serial link whose port is full takes what fits its memory, and tells when it has room again") {
  End end(3);
  end.room = 100;
  std::vector<Bytes> sent;
  CHECK_FALSE(popsgd_serial_wants_pump(end.link));
  for (unsigned k = 0; k < 10 && end.send(frame_of(kMtu, k)) == POPSGD_OK; ++k)
    sent.push_back(frame_of(kMtu, k));
  CHECK(sent.size() == 3);
  CHECK(end.send(frame_of(kMtu, 0)) == POPSGD_NO_ROOM);
  while (popsgd_serial_wants_pump(end.link)) {
    end.room = 7;
    CHECK(popsgd_serial_pump(end.link) == POPSGD_OK);
  }
  CHECK(end.writables == 1);
  End reader;
  CHECK(reader.feed(end.written) == POPSGD_OK);
  CHECK(reader.frames == sent);
}

TEST_CASE("C: a serial link that is closed from within its callback brings nothing more, and says so once") {
  End end;
  end.close_at_once = true;
  CHECK(end.feed(stream_of({frame_of(9, 1), frame_of(9, 2)})) == POPSGD_OK);
  CHECK(end.frames.size() == 1);
  CHECK(end.closings == 0);  // not before the pump
  CHECK(end.send(frame_of(9, 3)) == POPSGD_LINK_CLOSED);
  CHECK(popsgd_serial_wants_pump(end.link));
  for (int k = 0; k < 3; ++k) CHECK(popsgd_serial_pump(end.link) == POPSGD_OK);
  CHECK(end.closings == 1);
  CHECK_FALSE(popsgd_serial_wants_pump(end.link));

  End full;
  full.close_at_once = true;
  full.room = 0;
  while (full.send(frame_of(kMtu, 1)) == POPSGD_OK) continue;
  full.room = 1000;
  CHECK(popsgd_serial_pump(full.link) == POPSGD_OK);
  CHECK(full.writables == 1);
  CHECK(full.closings == 1);
}

TEST_CASE("C: a serial link may be opened anew from within `closed`") {
  End end;
  end.open_again = true;
  popsgd_serial_close(end.link);
  CHECK(popsgd_serial_pump(end.link) == POPSGD_OK);
  CHECK(end.closings == 1);
  CHECK_FALSE(popsgd_serial_wants_pump(end.link));
  CHECK(end.feed(stream_of({frame_of(9, 1)})) == POPSGD_OK);
  CHECK(end.frames.size() == 1);
}

TEST_CASE(
    "C: a serial link does without writable and closed, and believes no port that takes more than there is") {
  std::vector<std::uint64_t> memory(POPSGD_SERIAL_WORDS(kMtu, 1));
  const popsgd_serial_port port{[](void* full, const void*, std::size_t count) {
                                  return *static_cast<bool*>(full) ? std::size_t{0} : count + 1;
                                },
                                nullptr};
  bool full = true;
  popsgd_serial_port with = port;
  with.context = &full;
  popsgd_serial* link = nullptr;
  REQUIRE(popsgd_serial_init(&link, kMtu, &with, memory.data(), 8 * memory.size()) == POPSGD_OK);
  const popsgd_serial_user user{[](void*, popsgd_serial*, const void*, std::size_t) {}, nullptr, nullptr,
                                nullptr};
  REQUIRE(popsgd_serial_open(link, &user) == POPSGD_OK);
  const Bytes frame = frame_of(kMtu, 1);
  while (popsgd_serial_send(link, frame.data(), frame.size()) == POPSGD_OK) continue;
  full = false;
  CHECK(popsgd_serial_pump(link) == POPSGD_OK);  // writable
  CHECK_FALSE(popsgd_serial_wants_pump(link));
  popsgd_serial_close(link);
  CHECK(popsgd_serial_pump(link) == POPSGD_OK);  // closed
  CHECK_FALSE(popsgd_serial_wants_pump(link));
}

TEST_CASE("C: a serial link refuses null pointers, sizes that are too small and memory that is not aligned") {
  std::vector<std::uint64_t> memory(POPSGD_SERIAL_WORDS(kMtu, 1) + 1);
  const std::size_t size = 8 * POPSGD_SERIAL_WORDS(kMtu, 1);
  const popsgd_serial_port port{[](void*, const void*, std::size_t count) { return count; }, nullptr};
  const popsgd_serial_port none{};
  auto* const bytes = reinterpret_cast<std::uint8_t*>(memory.data());
  popsgd_serial* link = nullptr;
  CHECK(popsgd_serial_init(nullptr, kMtu, &port, bytes, size) == POPSGD_NULL_POINTER);
  CHECK(popsgd_serial_init(&link, kMtu, nullptr, bytes, size) == POPSGD_NULL_POINTER);
  CHECK(popsgd_serial_init(&link, kMtu, &port, nullptr, size) == POPSGD_NULL_POINTER);
  CHECK(popsgd_serial_init(&link, kMtu, &none, bytes, size) == POPSGD_NO_FUNCTION);
  CHECK(popsgd_serial_init(&link, 255, &port, bytes, size) == POPSGD_INVALID_SIZE);
  CHECK(popsgd_serial_init(&link, kMtu, &port, bytes, size - 1) == POPSGD_SCRATCH_TOO_SMALL);
  CHECK(popsgd_serial_init(&link, kMtu, &port, bytes + 4, size) == POPSGD_SCRATCH_TOO_SMALL);
  CHECK(link == nullptr);
  REQUIRE(popsgd_serial_init(&link, kMtu, &port, bytes, size) == POPSGD_OK);

  const popsgd_serial_user nobody{};
  const Bytes frame = frame_of(kMtu + 1, 1);
  CHECK(popsgd_serial_send(link, frame.data(), 1) == POPSGD_LINK_CLOSED);  // not open yet
  CHECK(popsgd_serial_feed(link, frame.data(), frame.size()) == POPSGD_OK);
  CHECK(popsgd_serial_pump(link) == POPSGD_OK);
  CHECK_FALSE(popsgd_serial_wants_pump(link));
  CHECK(popsgd_serial_open(link, nullptr) == POPSGD_NULL_POINTER);
  CHECK(popsgd_serial_open(link, &nobody) == POPSGD_NO_FUNCTION);
  CHECK(popsgd_serial_open(nullptr, &nobody) == POPSGD_NULL_POINTER);

  End end;
  CHECK(popsgd_serial_send(end.link, nullptr, 9) == POPSGD_NULL_POINTER);
  CHECK(popsgd_serial_send(end.link, frame.data(), 0) == POPSGD_INVALID_SIZE);
  CHECK(popsgd_serial_send(end.link, frame.data(), frame.size()) == POPSGD_INVALID_SIZE);
  CHECK(popsgd_serial_feed(end.link, nullptr, 9) == POPSGD_NULL_POINTER);
  CHECK(popsgd_serial_feed(end.link, nullptr, 0) == POPSGD_OK);

  popsgd_serial_counts counts{};
  CHECK(popsgd_serial_send(nullptr, frame.data(), 9) == POPSGD_NULL_POINTER);
  CHECK(popsgd_serial_feed(nullptr, frame.data(), 9) == POPSGD_NULL_POINTER);
  CHECK(popsgd_serial_pump(nullptr) == POPSGD_NULL_POINTER);
  CHECK_FALSE(popsgd_serial_wants_pump(nullptr));
  popsgd_serial_close(nullptr);
  popsgd_serial_counted(nullptr, &counts);
  popsgd_serial_counted(end.link, nullptr);
}
