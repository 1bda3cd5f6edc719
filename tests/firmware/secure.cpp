// Two members of a swarm meet over links that are memory, in the memory that a device gives mbedTLS, and no other: over datagrams
// and streams, with forward secrecy and without, for the first time and again. Prints what it takes of memory.
#include "check.h"

#include <popsgd/secure/gate.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace {

using namespace popsgd;
using firmware_test::check;
using firmware_test::print;

class TestClock final : public Clock {
 public:
  [[nodiscard]] Time now() noexcept override { return Time(time); }
  std::uint32_t time = 1000;
};

// A generator of multiplication (Knuth): a test's own.
class Drawn final : public Entropy {
 public:
  explicit Drawn(std::uint64_t seed) : state_(seed) {}
  [[nodiscard]] Status fill(std::span<std::byte> into) noexcept override {
    for (std::byte& byte : into) {
      state_ = state_ * 6364136223846793005U + 1442695040888963407U;
      byte = static_cast<std::byte>(state_ >> 56);
    }
    return Status::ok;
  }

 private:
  std::uint64_t state_;
};

constexpr std::uint16_t kMtu = 600;

// What one end has sent, until the other has it.
class MemoryLink final : public Link {
 public:
  [[nodiscard]] LinkTraits traits() const noexcept override { return {kMtu, reliable}; }
  [[nodiscard]] Status send(std::span<const std::byte> frame) noexcept override {
    if (count == frames.size()) return Status::no_room;
    std::ranges::copy(frame, frames[count].bytes.begin());
    frames[count++].size = frame.size();
    return Status::ok;
  }
  void close() noexcept override { over = true; }

  struct Frame {
    std::array<std::byte, kMtu> bytes{};
    std::size_t size = 0;
  };

  bool deliver(MemoryLink& to) noexcept {
    const std::size_t waiting = std::exchange(count, 0);
    static std::array<Frame, 8>
        sent;  // as what it leads to is sent meanwhile; not on the stack, which is measured
    sent = frames;
    for (std::size_t k = 0; k < waiting && to.user != nullptr && !to.over; ++k)
      to.user->received(to, std::span(sent[k].bytes).first(sent[k].size));
    return waiting > 0;
  }
  void settle() noexcept {
    if (over && user != nullptr) std::exchange(user, nullptr)->closed(*this);
  }

  std::array<Frame, 8> frames{};
  std::size_t count = 0;
  LinkUser* user = nullptr;
  bool reliable = false;
  bool over = false;
};

TestClock clock;

struct Member final : secure::Listener, LinkUser {
  explicit Member(std::uint64_t seed) : entropy(seed) {}
  LinkUser& opened(Link& link, const Address&, bool) noexcept override {
    at = &link;
    return *this;
  }
  void refused(const Address&, bool, secure::Refusal) noexcept override { ++refusals; }
  void received(Link&, std::span<const std::byte> frame) noexcept override {
    heard += frame.size();
    sound = sound && std::ranges::all_of(frame, [](std::byte byte) { return byte == std::byte{0x5A}; });
  }
  void writable(Link&) noexcept override {}
  void closed(Link&) noexcept override { at = nullptr; }

  static constexpr secure::Options kOptions{.cookies = false, .remembered = 1};
  static constexpr secure::Limits kLimits{.links = 1, .handshakes = 1};
  Drawn entropy;
  secure::Context context{entropy, clock, kOptions};
  Link* at = nullptr;
  std::size_t heard = 0;
  unsigned refusals = 0;
  bool sound = true;
  secure::Gate gate{context, *this, kLimits};
};

MemoryLink there;
MemoryLink back;

void carry() noexcept {
  for (int idle = 0; idle < 2;) {
    const bool went = there.deliver(back);
    idle = back.deliver(there) || went ? 0 : idle + 1;
    there.settle();
    back.settle();
  }
}

secure::SwarmKeys keys(bool forward_secret) noexcept {
  constexpr secure::Key kSwarm{std::byte{1}, std::byte{2}};
  secure::SwarmKeys keys;
  keys.forward_secret = forward_secret;
  check(secure::derive(kSwarm, 3, keys.current) == Status::ok, "keys are derived");
  return keys;
}

void meet(Member& caller, Member& called) noexcept {
  for (MemoryLink* end : {&there, &back}) {
    end->over = false;
    end->count = 0;
  }
  there.user = caller.gate.admit(there, {.port = 2}, true);
  back.user = called.gate.admit(back, {.port = 1}, false);
  carry();
}

void say(Member& from, const Member& to) noexcept {
  static std::array<std::byte, kMtu - 29> frame;
  frame.fill(std::byte{0x5A});
  const std::size_t before = to.heard;
  check(from.at != nullptr && from.at->send(frame) == Status::ok, "a member says something");
  carry();
  check(to.heard == before + frame.size() && to.sound, "the other one hears it");
}

void members_meet(bool reliable, bool forward_secret) noexcept {
  there.reliable = back.reliable = reliable;
  Member caller(1);
  Member called(2);
  for (Member* member : {&caller, &called})
    check(member->context.use(keys(forward_secret)) == Status::ok, "a member has its keys");
  for (const std::uint64_t meetings : {1, 2}) {
    meet(caller, called);
    check(caller.at != nullptr && called.at != nullptr, "members meet");
    check(called.gate.counts().opened == meetings, "both know it");
    say(caller, called);
    say(called, caller);
    if (caller.at != nullptr) caller.at->close();
    carry();
    check(caller.at == nullptr && called.at == nullptr, "a goodbye ends both ends");
  }
  check(caller.gate.counts().resumed == 1, "the second time they resume");
  check(caller.refusals + called.refusals == 0, "nobody is turned away");
}

alignas(8) std::array<std::byte, 48 * 1024> memory;
constexpr auto kUntouched = std::byte{0xA5};

// The allocator takes the first place that is free.
std::size_t touched() noexcept {
  const auto last =
      std::find_if(memory.rbegin(), memory.rend(), [](std::byte byte) { return byte != kUntouched; });
  return static_cast<std::size_t>(memory.rend() - last);
}

}  // namespace

int main() {
  check(secure::use_memory(memory) == Status::ok, "mbedTLS has the memory that it is given");
  std::fill(memory.begin() + 64, memory.end(), kUntouched);  // behind what its allocator has begun with
  for (const bool reliable : {false, true}) {
    for (const bool forward_secret : {false, true}) members_meet(reliable, forward_secret);
  }
  print("tls_memory ");
  print(static_cast<unsigned long>(touched() / 2));
  print("\n");
  firmware_test::print_stack();
  return firmware_test::failures == 0 ? 0 : 1;
}
