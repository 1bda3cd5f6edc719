// The board's UART: bytes come by interrupt into a ring, and go one by one as fast as the line takes them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::cortex_m {

/// The program has one, and its uart_interrupt() calls interrupt().
class Uart {
 public:
  void start() noexcept;

  /// Takes all of the bytes, and waits until the line has. At 115,200 baud that is 87 us a byte.
  void write(std::span<const std::byte> bytes) noexcept;

  /// What has come since the last call, as far as it fits; does not wait.
  [[nodiscard]] std::span<std::byte> read(std::span<std::byte> into) noexcept;
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  /// Bytes that came when the ring was full. Frames have checksums, and are sent again.
  [[nodiscard]] std::uint32_t lost() const noexcept { return lost_; }

  void interrupt() noexcept;

 private:
  static constexpr std::uint32_t kRing = 128;  // a power of two: 11 ms at 115,200 baud

  void came(std::byte byte) noexcept;

  // One writer each: the interrupt moves the end, the program the beginning. Both count on and wrap around.
  std::array<std::byte, kRing> ring_;
  volatile std::uint32_t begin_ = 0;
  volatile std::uint32_t end_ = 0;
  volatile std::uint32_t lost_ = 0;
};

}  // namespace popsgd::cortex_m
