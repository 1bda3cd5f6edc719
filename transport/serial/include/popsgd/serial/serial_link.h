// A link over a stream of bytes that may lose, change and invent some: a UART, a radio, a PTY.
#pragma once

#include <popsgd/link.h>
#include <popsgd/serial/cobs.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::serial {

/// Where bytes go.
struct Port {
  /// Takes up to all of the bytes, in their order; the answer: how many. Should not wait: while it does nothing is learned.
  using Write = std::size_t (*)(void* context, std::span<const std::byte> bytes) noexcept;
  Write write = nullptr;
  void* context = nullptr;
};

/// What was counted since open().
struct SerialMetrics {
  std::uint32_t received = 0;  ///< frames that were whole
  std::uint32_t damaged = 0;   ///< those that were not: dropped
  std::uint32_t overlong = 0;  ///< those longer than the MTU: dropped
};

/// A frame goes as itself and its CRC-32C, little-endian, by COBS, and a 0 behind. Whatever comes, the first 0 after it ends it,
/// and the next frame is whole; so the link may be begun and taken up at any byte. Opens no port, waits for nothing, asks no heap:
///
///     link.feed(bytes);                       // whenever some have come
///     if (link.pending() > 0) link.pump();    // whenever the port takes more; also after Link::close()
class SerialLink final : public Link {
 public:
  /// Bytes of memory for a link whose port may be `frames` of up to `mtu` bytes behind.
  [[nodiscard]] static constexpr std::size_t memory_size(std::uint16_t mtu, std::size_t frames) {
    return in_size(mtu) + frames * out_size(mtu);
  }

  /// `memory`: 8-aligned, at least memory_size(mtu, 1); it must outlive this.
  SerialLink(std::uint16_t mtu, Port port, std::span<std::byte> memory) noexcept;
  SerialLink(const SerialLink&) = delete;
  SerialLink& operator=(const SerialLink&) = delete;
  SerialLink(SerialLink&&) = delete;
  SerialLink& operator=(SerialLink&&) = delete;
  ~SerialLink() = default;

  /// Begins, anew if it was closed. `user` must stay until the link is closed, or this is gone.
  void open(LinkUser& user) noexcept;

  [[nodiscard]] LinkTraits traits() const noexcept override { return {mtu_, false}; }
  [[nodiscard]] Status send(std::span<const std::byte> frame) noexcept override;
  void close() noexcept override { over_ = true; }

  /// Bytes have come: hands the frames that they complete to the user.
  void feed(std::span<const std::byte> bytes) noexcept;
  /// Gives the port what waits for it, and tells the user that there is room again, or, after close(), that it is over.
  void pump() noexcept;
  /// Bytes that wait for the port.
  [[nodiscard]] std::size_t pending() const noexcept { return end_ - begin_; }
  /// pump() is to be called, even if the port takes no more: the link was closed.
  [[nodiscard]] bool over() const noexcept { return over_; }

  [[nodiscard]] const SerialMetrics& metrics() const noexcept { return metrics_; }

 private:
  static constexpr std::size_t kCrc = 4;
  [[nodiscard]] static constexpr std::size_t in_size(std::uint16_t mtu) {
    return (max_encoded_size(mtu + kCrc) + 7) / 8 * 8;
  }
  [[nodiscard]] static constexpr std::size_t out_size(std::uint16_t mtu) {
    return max_encoded_size(mtu + kCrc) + 2;  // a 0 on either side
  }

  void take(std::span<const std::byte> bytes) noexcept;
  void end_frame() noexcept;
  void write() noexcept;

  std::uint16_t mtu_;
  Port port_;
  LinkUser* user_ = nullptr;
  SerialMetrics metrics_{};
  bool over_ = true;

  std::span<std::byte> in_;  // what has come since the last 0
  std::size_t length_ = 0;
  bool too_long_ = false;

  std::span<std::byte> out_;
  std::size_t begin_ = 0;  // what waits for the port
  std::size_t end_ = 0;
  bool full_ = false;  // the user waits for writable()
};

}  // namespace popsgd::serial
