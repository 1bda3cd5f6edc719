// Flash for checkpoints, which is erased block by block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::cortex_m {

/// An erased bit is 1, programming makes it 0, and only erasing a whole block makes it 1 again. micro:bit: the last 32 kB of
/// the nRF51's, by its controller; QEMU forgets them when it ends. MPS2 has no flash: there it is the file popsgd-flash
/// of the host, by semihosting, which outlives the emulator as flash outlives a loss of power.
class Flash {
 public:
  static constexpr std::size_t kBlock = 1024;
  static constexpr std::size_t kSize = 32 * kBlock;

  /// `offset`: within it. false: it does not answer.
  [[nodiscard]] bool read(std::size_t offset, std::span<std::byte> into) noexcept;
  /// `offset` and length: multiples of 4, of bytes that are erased.
  [[nodiscard]] bool program(std::size_t offset, std::span<const std::byte> bytes) noexcept;
  /// The block that begins there.
  [[nodiscard]] bool erase(std::size_t offset) noexcept;

  /// For tests: power fails in the middle of the change after `changes` more, and nothing answers until it is back.
  void fail_after(std::uint32_t changes) noexcept { left_ = changes + 1; }
  void power_on() noexcept { left_ = kForever; }
  [[nodiscard]] bool failed() const noexcept { return left_ == 0; }

 private:
  static constexpr std::uint32_t kForever = UINT32_MAX;
  /// Of so many bytes that are to change, those that do.
  [[nodiscard]] std::size_t powered(std::size_t size) noexcept;

  std::uint32_t left_ = kForever;
};

}  // namespace popsgd::cortex_m
