// Two links within one program, each the other's peer.
#pragma once

#include <popsgd/link.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::loopback {

/// Reliable. What is sent waits in the caller's memory until deliver() hands it over; nothing is asked of a heap or a system.
class Loopback {
 public:
  /// Bytes of memory in which `frames` of up to `mtu` bytes wait for one side.
  [[nodiscard]] static constexpr std::size_t memory_size(std::uint16_t mtu, std::size_t frames) {
    return frames * slot_size(mtu);
  }

  /// `memory`: 8-aligned, split between both sides, at least memory_size(mtu, 1) for each; it must outlive this.
  Loopback(std::uint16_t mtu, std::span<std::byte> memory) noexcept;
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;
  Loopback(Loopback&&) = delete;
  Loopback& operator=(Loopback&&) = delete;
  ~Loopback() = default;

  /// Opens both links, anew if they were closed. The users must stay until their links are closed, or this is gone.
  void open(LinkUser& first, LinkUser& second) noexcept;
  [[nodiscard]] Link& first() noexcept { return ends_[0]; }
  [[nodiscard]] Link& second() noexcept { return ends_[1]; }

  /// Hands over the frames that wait now, not those sent in answer; then tells who may send again, and, when one side has given
  /// up, both that it is over. The answer: something was done. Not to be called by a user of the links.
  bool deliver() noexcept;

 private:
  [[nodiscard]] static constexpr std::size_t slot_size(std::uint16_t mtu) { return 8 + (mtu + 7U) / 8 * 8; }

  class End final : public Link {
   public:
    [[nodiscard]] LinkTraits traits() const noexcept override { return {mtu_, true}; }
    [[nodiscard]] Status send(std::span<const std::byte> frame) noexcept override;
    void close() noexcept override { peer_->over_ = over_ = true; }

   private:
    friend Loopback;
    [[nodiscard]] std::byte* slot(std::size_t number) const noexcept;
    bool bring() noexcept;

    std::uint16_t mtu_ = 0;
    End* peer_ = nullptr;
    LinkUser* user_ = nullptr;
    // What waits for this end: each slot is 8 bytes, of which the first 4 are the length, and a frame.
    std::span<std::byte> slots_{};
    std::size_t capacity_ = 0;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
    bool full_ = false;  // the user waits for writable()
    bool over_ = true;
  };

  std::array<End, 2> ends_{};
};

}  // namespace popsgd::loopback
