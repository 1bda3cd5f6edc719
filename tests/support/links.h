// A listener and user of links that writes down what it is told, and a loop that runs until something is so.
#pragma once

#include <popsgd/asio/listener.h>
#include <popsgd/asio/loop.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace popsgd::test {

using Bytes = std::vector<std::byte>;

/// `size` bytes that differ from frame to frame and from byte to byte.
inline Bytes frame_of(std::size_t size, std::uint32_t number = 0) {
  Bytes frame(size);
  for (std::size_t k = 0; k < size; ++k)
    frame[k] = static_cast<std::byte>((k * 31 + number * 7 + (k >> 8) + (number >> 8)) % 256);
  return frame;
}

/// What one link brought.
class Diary final : public LinkUser {
 public:
  void received(Link&, std::span<const std::byte> frame) noexcept override {
    misaligned += reinterpret_cast<std::uintptr_t>(frame.data()) % 8 != 0;
    frames.emplace_back(frame.begin(), frame.end());
    if (on_frame) on_frame();
  }
  void writable(Link&) noexcept override {
    ++writables;
    if (on_writable) on_writable();
  }
  void closed(Link&) noexcept override {
    ++closings;
    link = nullptr;
  }

  Link* link = nullptr;
  Address remote{};
  bool dialled = false;
  std::vector<Bytes> frames{};
  int misaligned = 0;
  int writables = 0;
  int closings = 0;
  std::function<void()> on_frame{};
  std::function<void()> on_writable{};
};

/// All links of a transport, in the order of opening.
class Host : public net::Listener {
 public:
  LinkUser& opened(Link& link, const Address& remote, bool dialled) noexcept override {
    diaries.push_back(std::make_unique<Diary>());
    diaries.back()->link = &link;
    diaries.back()->remote = remote;
    diaries.back()->dialled = dialled;
    return *diaries.back();
  }
  void dial_failed(const Address& remote, std::string_view reason) noexcept override {
    failed.push_back(remote);
    reasons.emplace_back(reason);
  }

  Diary& operator[](std::size_t k) { return *diaries[k]; }
  [[nodiscard]] std::size_t open() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(diaries, [](const auto& diary) { return diary->link != nullptr; }));
  }

  std::vector<std::unique_ptr<Diary>> diaries{};
  std::vector<Address> failed{};
  std::vector<std::string> reasons{};
};

/// Runs the loop until `done`, or for 20 seconds; the answer: it is done.
inline bool run_until(net::Loop& loop, const std::function<bool()>& done) {
  if (done()) return true;
  net::Timer late(loop, [&loop] { loop.stop(); });
  late.after(20000);
  std::function<void()> look;
  net::Timer again(loop, [&look] { look(); });
  look = [&] {
    if (done())
      loop.stop();
    else
      again.after(1);
  };
  again.after(1);
  loop.run();
  return done();
}

/// Lets what is under way come to its end.
inline void settle(net::Loop& loop, std::uint32_t ms = 30) {
  net::Timer end(loop, [&loop] { loop.stop(); });
  end.after(ms);
  loop.run();
}

inline constexpr std::array<std::uint8_t, 4> kLocal{127, 0, 0, 1};
inline constexpr Address kV4 = v4_address(kLocal, 0);
inline constexpr Address kV6{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0, 0};

}  // namespace popsgd::test
