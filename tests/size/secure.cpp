// What a secure link takes on a board, alone: a member that meets the one at the other end of its UART over DTLS, and says each frame
// that comes back. Compared with tests/size/budget.csv, not run.
#include "device/board_entropy.h"
#include "device/registers.h"
#include "device/tick_clock.h"
#include "device/uart.h"
#include "start/start.h"

#include <popsgd/secure/gate.h>
#include <popsgd/serial/serial_link.h>

#include <array>
#include <cstddef>
#include <span>

namespace {

using namespace popsgd;
namespace board = popsgd::cortex_m;

constexpr std::uint16_t kMtu = 600;

board::TickClock clock;
board::Uart uart;
alignas(8) std::array<std::byte, 16 * 1024> memory;
alignas(8) std::array<std::byte, serial::SerialLink::memory_size(kMtu, 1)> line;

class Echo final : public secure::Listener, public LinkUser {
 public:
  LinkUser& opened(Link&, const Address&, bool) noexcept override { return *this; }
  void refused(const Address&, bool, secure::Refusal) noexcept override {}
  void received(Link& link, std::span<const std::byte> frame) noexcept override {
    static_cast<void>(link.send(frame));
  }
  void writable(Link&) noexcept override {}
  void closed(Link&) noexcept override {}
};

secure::SwarmKeys keys() noexcept {
  constexpr secure::Key kSwarm{std::byte{1}};
  secure::SwarmKeys keys;
  if (secure::derive(kSwarm, 1, keys.current) != Status::ok) fault();
  return keys;
}

}  // namespace

void tick() noexcept {
  clock.count();
}

void uart_interrupt() noexcept {
  uart.interrupt();
}

int main() {
  static board::BoardEntropy entropy;
  static Echo echo;
  const auto write = [](void*, std::span<const std::byte> bytes) noexcept {
    uart.write(bytes);
    return bytes.size();
  };
  if (secure::use_memory(memory) != Status::ok) fault();
  secure::Context context(entropy, clock, {.cookies = false, .remembered = 1});
  if (context.use(keys()) != Status::ok) fault();
  secure::Gate gate(context, echo, {.links = 1, .handshakes = 1});
  serial::SerialLink link(kMtu, {write, nullptr}, line);
  clock.start();
  uart.start();
  LinkUser* const user = gate.admit(link, {}, true);
  if (user == nullptr) fault();
  link.open(*user);
  while (true) {
    std::array<std::byte, 64> bytes;
    link.feed(uart.read(bytes));
    gate.poll();
    link.pump();
    board::sleep();
  }
}
