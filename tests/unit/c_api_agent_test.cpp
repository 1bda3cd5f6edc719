// What happens to agents in C must be what happens to agents in C++ that are given the same: every frame, every answer and every
// bit of their models.
#include "c_agent.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using popsgd::test::AgentInC;
using popsgd::test::AgentInCpp;
using popsgd::test::MemoryStore;

constexpr std::uint16_t kFrame = 256;

AgentConfig settings(std::uint64_t seed) {
  AgentConfig config{.seed = seed, .fingerprint = 77, .fresh = false};
  config.mean_wait = 0;
  config.largest_frame = kFrame;
  config.guarding.gate = false;
  return config;
}

// Writes down all that two agents do.
template <typename Device>
class Diary {
 public:
  Diary(const AgentConfig& config, AgentConfig partner, float first, float second)
      : a_(config, as_weight(first), first),
        b_((partner.seed = config.seed + 1, partner), as_weight(second), second) {
    note("peer", a_.add_peer(2, kFrame));
    note("peer", b_.add_peer(1, kFrame));
    note("small", a_.add_peer(3, 255));
  }

  void step(int count = 1) {
    for (Device* device : {&a_, &b_}) {
      for (int k = 0; k < count; ++k) {
        float loss = -1;
        note("step", device->step(loss));
        note("loss", loss);
      }
    }
    look();
  }
  void step_aside() {
    const int status = a_.begin_step();
    note("aside", status);
    if (status != 0) return;
    note("again", a_.begin_step());
    note("loss", a_.work());
    a_.end_step();
    look();
  }
  // Frames go to and fro for so long; every `lose`-th is lost.
  void exchange(std::uint32_t ms, int lose = 0) {
    note("meet", a_.meet(2, now_));
    note("busy", a_.meet(2, now_));
    note("whom", a_.meet(9, now_));
    for (const std::uint32_t end = now_ + ms; now_ != end; ++now_) {
      carry(a_, b_, 1, lose);
      carry(b_, a_, 2, lose);
    }
    look();
  }
  void save_and_restore() {
    MemoryStore store(8192);
    note("first", a_.restore(store, now_));
    note("save", a_.save(store));
    const auto slot = store.slot(0);
    text_ << "slot " << hex(slot) << '\n';
    note("violations", static_cast<int>(store.violations()));
    a_.x.assign(a_.x.size(), {});
    note("restore", a_.restore(store, now_));
    look();
    store.fail_at(0);
    note("fails", a_.save(store));
  }
  void forget() {
    a_.remove_peer(2);
    note("gone", a_.meet(2, now_));
    note("back", a_.add_peer(2, 1200));
    note("offers", a_.meet(2, now_));
    note("busy", a_.meet(2, now_));
    a_.lost_peer(2, now_);
    note("back again", a_.add_peer(2, 1200));
    note("free", a_.meet(2, now_));
  }

  [[nodiscard]] std::string text() const { return text_.str() + a_.told.str() + b_.told.str(); }
  [[nodiscard]] const Device& a() const { return a_; }
  [[nodiscard]] const Device& b() const { return b_; }

 private:
  using Weight = typename decltype(Device::x)::value_type;
  static Weight as_weight(float value) { return static_cast<Weight>(value); }

  template <typename Value>
  void note(const char* what, Value value) {
    text_ << what << ' ' << value << '\n';
  }
  static std::string hex(std::span<const std::byte> bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string digits;
    for (const std::byte byte : bytes) {
      digits += kDigits[std::to_integer<unsigned>(byte) >> 4];
      digits += kDigits[std::to_integer<unsigned>(byte) & 15U];
    }
    return digits;
  }
  void look() {
    for (Device* device : {&a_, &b_})
      text_ << device->state() << ' ' << hex(std::as_bytes(std::span(device->x))) << '\n';
  }
  void carry(Device& from, Device& to, std::uint32_t name, int lose) {
    alignas(8) std::array<std::byte, kFrame> frame;
    while (const std::size_t size = from.send(frame, now_)) {
      const auto bytes = std::span(frame).first(size);
      text_ << now_ << ' ' << name << ' ' << hex(bytes) << '\n';
      if (++frames_; lose == 0 || frames_ % lose != 0) to.receive(name, bytes, now_);
    }
    note("due", from.deadline(now_));
  }

  std::ostringstream text_{};
  std::uint32_t now_ = 1;
  int frames_ = 0;
  Device a_;
  Device b_;
};

// The script is the same for both; what is compared is what came of it.
template <typename Weight, typename Script>
void check_same(const AgentConfig& config, const AgentConfig& partner, Script script) {
  Diary<AgentInC<Weight>> c(config, partner, 10, 40);
  Diary<AgentInCpp<Weight>> cpp(config, partner, 10, 40);
  REQUIRE(cpp.a().status == Status::ok);
  REQUIRE(c.a().agent != nullptr);
  script(c);
  script(cpp);
  CHECK(c.text() == cpp.text());
  CHECK(cpp.a().agent.metrics().completed > 0);  // or else it has not been much of a test
}

TEST_CASE_TEMPLATE("agents in C send the frames, and reach the models, of agents in C++", Weight, float,
                   std::int16_t, std::int8_t) {
  check_same<Weight>(settings(1), settings(2), [](auto& both) {
    both.step();
    both.exchange(20);
    both.step(3);
    both.step_aside();
    both.exchange(3000, 7);
    both.save_and_restore();
    both.exchange(50);
    both.forget();
  });
}

TEST_CASE_TEMPLATE("so they do in blocks and few bits, with steps at exchanges, with offers of their own",
                   Weight, float, std::int16_t, std::int8_t) {
  AgentConfig config = settings(3);
  config.quantise = {.width = Width::fixed, .bits = 6, .rotate = true};
  config.block_length = 16;
  config.averaging = Averaging::blocking;
  config.local_steps = 2;
  config.mean_wait = 40;
  config.guarding.gate = true;
  AgentConfig partner = config;
  partner.fresh = true;
  partner.averaging = Averaging::non_blocking;
  check_same<Weight>(config, partner, [](auto& both) {
    both.exchange(2000, 11);
    both.step();
    both.step_aside();
    both.save_and_restore();
  });
}

TEST_CASE("momentum has its velocity in C as in C++") {
  AgentConfig config = settings(5);
  config.sgd.momentum = 0.5F;
  check_same<float>(config, config, [](auto& both) {
    both.step(4);
    both.exchange(20);
    both.step(4);
  });
}

TEST_CASE("the metrics are copied as far as the caller has room, and what is unknown is zero") {
  Diary<AgentInC<float>> diary(settings(1), settings(2), 0, 1);
  diary.step(2);
  std::array<popsgd_metrics, 2> metrics;
  std::memset(metrics.data(), 0xFF, sizeof metrics);
  popsgd_agent_metrics(diary.a().agent, metrics.data(), 8);
  CHECK(metrics[0].steps == 2);
  CHECK(metrics[0].offers == UINT64_MAX);
  popsgd_agent_metrics(diary.a().agent, metrics.data(), sizeof metrics);
  CHECK(metrics[0].steps == 2);
  CHECK(metrics[0].offers == 0);
  CHECK(metrics[1].steps == 0);
}

}  // namespace
