// Two members of a swarm, or one and somebody else, over a path in memory that a test has in its hands.
#pragma once

#include "links.h"

#include <popsgd/clock.h>
#include <popsgd/entropy.h>
#include <popsgd/random.h>
#include <popsgd/secure/gate.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace popsgd::test {

class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : random_(seed, Purpose::data) {}
  Status fill(std::span<std::byte> into) noexcept override {
    for (std::byte& byte : into) byte = static_cast<std::byte>(random_.below(256));
    return status;
  }
  Status status = Status::ok;

 private:
  Random random_;
};

class HandClock final : public Clock {
 public:
  Time now() noexcept override { return time; }
  Time time{};
};

class RealClock final : public Clock {
 public:
  Time now() noexcept override { return net::Loop::now(); }
};

/// A link whose peer is the test: what is sent lies in `sent`, what close() was called on ends at settle().
class HandLink final : public Link {
 public:
  explicit HandLink(LinkTraits traits) : traits_(traits) {}
  [[nodiscard]] LinkTraits traits() const noexcept override { return traits_; }
  [[nodiscard]] Status send(std::span<const std::byte> frame) noexcept override {
    if (over) return Status::link_closed;
    if (frame.empty() || frame.size() > traits_.mtu) return Status::invalid_size;
    if (sent.size() >= room) return Status::no_room;
    sent.emplace_back(frame.begin(), frame.end());
    return Status::ok;
  }
  void close() noexcept override { over = true; }
  /// Tells the user that it is over, if it is.
  bool settle() {
    if (!over || user == nullptr) return false;
    std::exchange(user, nullptr)->closed(*this);
    return true;
  }
  void bring(std::span<const std::byte> bytes) {
    std::vector<std::uint64_t> aligned((bytes.size() + 7) / 8);
    const auto copy = std::as_writable_bytes(std::span(aligned)).first(bytes.size());
    std::ranges::copy(bytes, copy.begin());
    if (user != nullptr && !over) user->received(*this, copy);
  }

  LinkUser* user = nullptr;
  std::vector<Bytes> sent{};
  std::size_t room = 1000;
  bool over = false;

 private:
  LinkTraits traits_;
};

inline secure::SwarmKeys swarm_keys(std::uint8_t swarm = 1, std::uint32_t epoch = 7) {
  secure::Key key{};
  key.fill(static_cast<std::byte>(swarm));
  secure::SwarmKeys keys;
  keys.previous.emplace();
  if (secure::derive(key, epoch, keys.current) != Status::ok ||
      secure::derive(key, epoch - 1, *keys.previous) != Status::ok)
    std::abort();
  return keys;
}

/// One with a gate, who writes down what comes of each link.
class Guarded final : public secure::Listener {
 public:
  Guarded(Clock& clock, std::uint64_t seed, const secure::Options& options = {},
          const secure::Limits& limits = {})
      : entropy(seed), context(entropy, clock, options), gate(context, *this, limits) {}

  LinkUser& opened(Link& link, const Address& remote, bool dialled) noexcept override {
    diaries.push_back(std::make_unique<Diary>());
    Diary& diary = *diaries.back();
    diary.link = &link;
    diary.remote = remote;
    diary.dialled = dialled;
    return diary;
  }
  void refused(const Address&, bool, secure::Refusal refusal) noexcept override {
    refusals.push_back(refusal);
  }

  [[nodiscard]] Diary* last() { return diaries.empty() ? nullptr : diaries.back().get(); }
  [[nodiscard]] bool in() { return !diaries.empty() && diaries.back()->link != nullptr; }

  SeededEntropy entropy;
  secure::Context context;
  std::vector<std::unique_ptr<Diary>> diaries{};
  std::vector<secure::Refusal> refusals{};
  secure::Gate gate;
};

/// Both, and what lies between them.
struct Meeting {
  explicit Meeting(bool is_reliable, const secure::Options& options = {}, const secure::Limits& limits = {},
                   std::uint16_t with_mtu = 1200)
      : reliable(is_reliable),
        mtu(is_reliable ? std::uint16_t{65535} : with_mtu),
        caller(clock, 1, options, limits),
        called(clock, 2, options, limits) {}

  Meeting& use(const secure::SwarmKeys& callers, const secure::SwarmKeys& calleds) {
    if (caller.context.use(callers) != Status::ok || called.context.use(calleds) != Status::ok) std::abort();
    return *this;
  }
  Meeting& use_swarm_keys() { return use(swarm_keys(), swarm_keys()); }

  /// Lets `caller` dial, over a path of its own.
  void dial(bool both = false) {
    there = std::make_unique<HandLink>(LinkTraits{mtu, reliable});
    back = std::make_unique<HandLink>(LinkTraits{mtu, reliable});
    there->user = caller.gate.admit(*there, calleds_address, true);
    back->user = called.gate.admit(*back, callers_address, both);
  }
  /// What one says goes to the other, by `between`. The answer: something was said.
  bool carry() {
    bool busy = false;
    for (HandLink* from : {there.get(), back.get()}) {
      auto said = std::exchange(from->sent, {});
      busy = busy || !said.empty();
      for (Bytes& bytes : said) {
        if (between && !between(bytes, from == there.get())) continue;
        reopen();
        (from == there.get() ? back : there)->bring(bytes);
      }
    }
    busy = there->settle() || busy;
    if (back->settle()) {
      busy = true;
      // As a transport over datagrams does it, whose links end with whom they are to.
      if (!reliable && !there->over) reopen();
    }
    if (reliable && (there->over || back->over)) there->over = back->over = true;
    return there->settle() || back->settle() || busy;
  }
  void reopen() {
    if (reliable || !back->over || back->user != nullptr) return;
    back = std::make_unique<HandLink>(LinkTraits{mtu, reliable});
    back->user = called.gate.admit(*back, callers_address, false);
  }
  /// Lets `ms` pass.
  void run(std::uint32_t ms = 0) {
    const Time end = clock.time + ms;
    for (;;) {
      for (int rounds = 0; rounds < 10000 && carry(); ++rounds) {
      }
      Time next = earlier(caller.gate.deadline(), called.gate.deadline());
      if (!next.reached(end)) break;
      if (next.since(clock.time) > 0)
        clock.time = next;
      else if (!carry())
        clock.time = clock.time + 1;
      caller.gate.poll();
      called.gate.poll();
      if (end.reached(clock.time) && !carry()) break;
    }
    clock.time = end;
  }
  [[nodiscard]] bool met() { return caller.in() && called.in(); }

  bool reliable;
  std::uint16_t mtu;
  HandClock clock{};
  Address callers_address = v4_address({10, 0, 0, 1}, 1111);
  Address calleds_address = v4_address({10, 0, 0, 2}, 2222);
  std::unique_ptr<HandLink> there{};
  std::unique_ptr<HandLink> back{};
  Guarded caller;
  Guarded called;
  std::function<bool(Bytes& bytes, bool from_caller)> between{};
};

}  // namespace popsgd::test
