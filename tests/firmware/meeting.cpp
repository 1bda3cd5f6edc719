// Two devices on one board learn, meet along a wire that is memory, and survive a loss of power at any write to flash.
#include "check.h"
#include "device/flash_store.h"
#include "digits.h"
#include "keeper.h"
#include "learner.h"
#include "node.h"
#include "start/start.h"
#include "wire.h"

#include <popsgd/crc32c.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace {

using namespace popsgd;
using firmware_test::check;

class TestClock final : public Clock {
 public:
  [[nodiscard]] Time now() noexcept override { return Time(time); }
  std::uint32_t time = 0;
};

class Counted final : public Entropy {
 public:
  [[nodiscard]] Status fill(std::span<std::byte> into) noexcept override {
    for (std::byte& byte : into) byte = static_cast<std::byte>(++next_ * 37);
    return Status::ok;
  }

 private:
  std::uint32_t next_ = 0;
};

// What one has written, until the other reads it.
struct Cable {
  std::array<std::byte, 288> bytes{};
  std::size_t count = 0;

  static std::size_t write(void* cable, std::span<const std::byte> from) noexcept {
    auto& self = *static_cast<Cable*>(cable);
    std::size_t taken = 0;
    for (; taken < from.size() && self.count < self.bytes.size(); ++taken)
      self.bytes[self.count++] = from[taken];
    return taken;
  }
  void deliver(firmware::Wire& to) noexcept {
    const std::size_t size = count;
    count = 0;
    std::array<std::byte, 288> moved = bytes;
    to.feed(std::span(moved).first(size));
  }
};

TestClock clock;
Counted entropy;
cortex_m::Flash flash;
cortex_m::FlashStore store(flash);

// A device whose cable leads to the other.
struct Device {
  [[nodiscard]] bool start() noexcept {
    wire.open(node);
    return node.start() == Status::ok && node.join(wire.link()) == Status::ok;
  }

  firmware::FixedLearner<firmware::Digits> learner;
  firmware::NodeMemory<1> memory;
  firmware::Node node{{clock, entropy}, learner, memory};
  Cable cable;
  firmware::Wire wire{{Cable::write, &cable}};
};
Device first;
Device second;
firmware::Keeper keeper(first.node, store, clock);

void run(std::uint32_t milliseconds) {
  for (const std::uint32_t end = clock.time + milliseconds; clock.time < end; clock.time += 5) {
    static_cast<void>(first.node.turn());
    first.cable.deliver(second.wire);
    static_cast<void>(second.node.turn());
    second.cable.deliver(first.wire);
  }
}

std::uint32_t digest(const Device& device) {
  return crc32c(device.learner.model());
}

void two_devices_learn_together() {
  check(first.start() && second.start(), "both devices start");
  run(30000);
  const AgentMetrics& metrics = first.node.agent().metrics();
  check(metrics.completed >= 5, "in half a minute they meet five times at least");
  check(metrics.cut_short == 0 && metrics.dropped[0] == 0, "nothing is cut short, nothing is damaged");
  check(first.learner.recognised(100) > 85 && second.learner.recognised(100) > 85,
        "both read 85 of 100 digits");
}

// Erasures of both slots' blocks, pages and the header, each cut in its middle.
// Not within main(), whose frame lies beneath the deepest.
[[gnu::noinline]] void a_cut_at_any_write_leaves_a_whole_checkpoint() {
  check(keeper.save() == Status::ok, "a checkpoint is saved");
  std::uint32_t saved = digest(first);
  bool finished = false;
  for (std::uint32_t changes = 0; !finished && changes < 100; ++changes) {
    run(100);
    const std::uint32_t next = digest(first);
    flash.fail_after(changes);
    finished = keeper.save() == Status::ok;
    flash.power_on();
    check(keeper.start() == Status::ok && keeper.restored() == Status::ok,
          "after any cut there is a checkpoint");
    check(first.node.join(first.wire.link()) == Status::ok, "it meets the other again");
    const std::uint32_t found = digest(first);
    check(found == saved || found == next, "it is the last one or the new one, entire");
    check(!finished || found == next, "what was saved is found");
    saved = found;
  }
  check(finished, "the loop has reached a save that nothing cut");
}

}  // namespace

int main() {
  two_devices_learn_together();
  a_cut_at_any_write_leaves_a_whole_checkpoint();
  firmware_test::print_stack();
  if (firmware_test::failures == 0) firmware_test::print("all promises kept\n");
  return firmware_test::failures == 0 ? 0 : 1;
}
