// The port to copy: it runs as it stands, and learns.
#include "board/device.h"
#include "board/flash_store.h"
#include "board/pipe_link.h"
#include "board/tick_clock.h"
#include "board/word_entropy.h"

#include <popsgd/random.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Status;
using popsgd::Time;
using namespace popsgd::board;

TEST_CASE("ticks are the time, around the end of their range, too") {
  TickClock clock;
  CHECK(clock.now() == Time(0));
  clock.tick();
  clock.tick(9);
  CHECK(clock.now() == Time(10));
  const Time before = clock.now();
  clock.tick(std::numeric_limits<std::uint32_t>::max());
  clock.tick(6);
  CHECK(clock.now().since(before) == 5);
}

std::uint32_t words = 0;

TEST_CASE("words of entropy become bytes, and a generator that fails is not covered up") {
  words = 0;
  WordEntropy entropy([]() noexcept -> std::optional<std::uint32_t> {
    return ++words <= 3 ? std::optional(0x01010101 * words) : std::nullopt;
  });
  std::array<std::byte, 6> bytes{};
  REQUIRE(entropy.fill(bytes) == Status::ok);
  CHECK(std::ranges::equal(bytes, std::array{1, 1, 1, 1, 2, 2}, {},
                           [](std::byte b) { return std::to_integer<int>(b); }));
  CHECK(entropy.fill(std::span(bytes).first(0)) == Status::ok);
  CHECK(entropy.fill(bytes) == Status::no_entropy);
}

TEST_CASE("flash whose page was not erased is found out when it is written") {
  std::array<std::vector<std::byte>, 2> regions{};
  for (auto& region : regions) region.assign(FlashStore::kSector, std::byte{0xFF});
  FlashStore store(regions[0], regions[1]);
  const std::vector<std::byte> page(popsgd::Store::kPage, std::byte{0x0F});
  const std::vector<std::byte> other(popsgd::Store::kPage, std::byte{0xF1});
  CHECK(store.write(0, 0, page) == Status::ok);
  CHECK(store.write(0, 0, other) == Status::store_failed);
}

/// One end of a wire: what it writes the other reads, if there is room.
class Wire final : public Pipe {
 public:
  Wire(std::deque<std::byte>& out, std::deque<std::byte>& in, std::size_t room)
      : out_(out), in_(in), room_(room) {}
  std::size_t write(std::span<const std::byte> bytes) noexcept override {
    const std::size_t count = std::min(bytes.size(), room_ - std::min(room_, out_.size()));
    out_.insert(out_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }
  std::size_t read(std::span<std::byte> into) noexcept override {
    const std::size_t count = std::min(into.size(), in_.size());
    std::copy_n(in_.begin(), count, into.begin());
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }

 private:
  std::deque<std::byte>& out_;
  std::deque<std::byte>& in_;
  std::size_t room_;
};

struct Listener final : popsgd::LinkUser {
  std::vector<std::vector<std::byte>> frames;
  int writables = 0;
  int closings = 0;
  void received(popsgd::Link&, std::span<const std::byte> frame) noexcept override {
    CHECK(reinterpret_cast<std::uintptr_t>(frame.data()) % 8 == 0);
    frames.emplace_back(frame.begin(), frame.end());
  }
  void writable(popsgd::Link&) noexcept override { ++writables; }
  void closed(popsgd::Link&) noexcept override { ++closings; }
};

struct TwoLinks {
  explicit TwoLinks(std::size_t room) : left_end(there, back, room), right_end(back, there, room) {}
  std::deque<std::byte> there;
  std::deque<std::byte> back;
  Wire left_end;
  Wire right_end;
  Listener left_user;
  Listener right_user;
  PipeLink left{left_end, left_user};
  PipeLink right{right_end, right_user};
};

std::vector<std::byte> frame_of(std::size_t size) {
  std::vector<std::byte> frame(size);
  for (std::size_t k = 0; k < size; ++k) frame[k] = static_cast<std::byte>(k * 7 + size);
  return frame;
}

TEST_CASE("frames of every length cross a pipe of any size whole and in order") {
  for (const std::size_t room : {1U, 2U, 3U, 100U, 5000U}) {
    TwoLinks links(room);
    std::size_t refused = 0;
    std::vector<std::vector<std::byte>> sent;
    for (const std::size_t size : {1U, 2U, 255U, 256U, 257U, 511U, 512U}) {
      sent.push_back(frame_of(size));
      while (links.left.send(sent.back()) == Status::no_room) {
        ++refused;
        const int writables = links.left_user.writables;
        for (int k = 0; k < 2000 && links.left_user.writables == writables; ++k) {
          links.right.poll();
          links.left.poll();
        }
      }
    }
    for (int k = 0; k < 2000; ++k) {
      links.left.poll();
      links.right.poll();
    }
    CHECK(links.right_user.frames == sent);
    CHECK(static_cast<std::size_t>(links.left_user.writables) == refused);
    CHECK((refused > 0) == (room < 513));
  }
}

TEST_CASE("a pipe that is out of step, or given up, is closed, and its user told once, from within poll()") {
  TwoLinks links(100);
  CHECK(links.left.send({}) == Status::invalid_size);
  CHECK(links.left.send(frame_of(513)) == Status::invalid_size);
  links.there = {std::byte{0xFF}, std::byte{0xFF}, std::byte{1}};  // a frame of 65,535 bytes
  links.right.poll();
  links.right.poll();
  CHECK(links.right_user.closings == 1);
  CHECK(links.right.send(frame_of(3)) == Status::link_closed);
  links.left.close();
  links.left.close();
  CHECK(links.left_user.closings == 0);
  links.left.poll();
  links.left.poll();
  CHECK(links.left_user.closings == 1);
  CHECK(links.left.send(frame_of(3)) == Status::link_closed);
}

/// A board: its parts, and the device on them. The truth: target = 1 x0 - 2 x1 + 3 x2 - 4 x3 + 5, of which each sensor
/// sees two features move and the others stand still.
struct Board {
  Board(std::uint32_t index, Wire wire)
      : first(2 * index), uart(wire), noise(3, popsgd::Purpose::user, index) {
    for (auto& region : regions) region.assign(2 * FlashStore::kSector, std::byte{0xFF});
  }
  static Sample measure(void* context) noexcept {
    Board& self = *static_cast<Board*>(context);
    Sample sample;
    for (std::size_t k = 0; k < 2; ++k) sample.features[self.first + k] = 2 * self.noise.uniform() - 1;
    sample.target = 5;
    for (std::size_t k = 0; k < 4; ++k) sample.target += kTruth[k] * sample.features[k];
    return sample;
  }
  Status power_on() {
    store.emplace(regions[0], regions[1]);
    device = std::make_unique<Device>(Device::Services{clock, entropy, *store, uart, measure, this});
    return device->start();
  }
  [[nodiscard]] float error() const {
    float most = 0;
    for (std::size_t k = 0; k < kTruth.size(); ++k)
      most = std::max(most, std::abs(device->model()[k] - kTruth[k]));
    return most;
  }

  static constexpr std::array<float, 5> kTruth{1, -2, 3, -4, 5};
  std::size_t first;
  std::array<std::vector<std::byte>, 2> regions{};
  TickClock clock;
  WordEntropy entropy{[]() noexcept -> std::optional<std::uint32_t> { return ++words; }};
  std::optional<FlashStore> store;
  Wire uart;
  popsgd::Random noise;
  std::unique_ptr<Device> device;
};

void run(Board& a, Board& b, std::uint32_t seconds) {
  for (std::uint32_t ms = 0; ms < 1000 * seconds; ms += 5) {
    for (Board* board : {&a, &b}) {
      board->clock.tick(5);
      static_cast<void>(board->device->turn());
    }
  }
}

TEST_CASE(
    "two boards learn over their wire what neither sensor sees alone, and keep it through a loss of power") {
  std::deque<std::byte> there;
  std::deque<std::byte> back;
  Board a(0, Wire(there, back, 64));
  Board b(1, Wire(back, there, 64));
  REQUIRE(Device::checkpoint_size() <= 2 * FlashStore::kSector);
  REQUIRE(a.power_on() == Status::ok);
  REQUIRE(b.power_on() == Status::ok);
  CHECK(a.device->restored() == Status::no_checkpoint);
  run(a, b, 3700);
  CHECK(a.device->saved() == Status::ok);
  CHECK(a.device->agent().metrics().completed > 1000);
  CHECK(a.error() < 0.01F);
  CHECK(b.error() < 0.01F);

  there.clear();
  back.clear();
  REQUIRE(a.power_on() == Status::ok);
  CHECK(a.device->restored() == Status::ok);
  CHECK(a.error() < 0.01F);
  CHECK_FALSE(a.device->agent().fresh());
  REQUIRE(b.power_on() == Status::ok);
  run(a, b, 10);
  CHECK(b.error() < 0.01F);
}

TEST_CASE(
    "a board whose wire takes nothing any more sleeps between its turns, gives its exchanges up and learns "
    "on") {
  std::deque<std::byte> there;
  std::deque<std::byte> back;
  Board board(0, Wire(there, back, 1));
  REQUIRE(board.power_on() == Status::ok);
  int past = 0;
  for (int turn = 0; turn < 10000; ++turn) {
    const Time next = board.device->turn();
    if (next.since(board.clock.now()) <= 0) ++past;
    board.clock.tick(10);
  }
  const popsgd::AgentMetrics& metrics = board.device->agent().metrics();
  CHECK(metrics.steps >= 990);
  CHECK(metrics.offers >= 10);  // each of which was given up before the next
  CHECK(past == 0);
}

TEST_CASE("a board without entropy does not start, and one whose flash is lost starts anew") {
  std::deque<std::byte> wire;
  Board board(0, Wire(wire, wire, 64));
  for (auto& region : board.regions) std::ranges::fill(region, std::byte{0x77});
  REQUIRE(board.power_on() == Status::ok);
  CHECK(board.device->restored() == Status::checkpoint_damaged);
  CHECK(board.device->agent().fresh());
  WordEntropy none([]() noexcept -> std::optional<std::uint32_t> { return std::nullopt; });
  Device device(Device::Services{board.clock, none, *board.store, board.uart, Board::measure, &board});
  CHECK(device.start() == Status::no_entropy);
}

}  // namespace
