// Checkpoints in two regions of flash.
#pragma once

#include <popsgd/store.h>

#include <array>
#include <cstddef>
#include <span>

namespace popsgd::board {

/// As NOR flash is: an erased bit is 1, programming makes it 0, and only erasing a whole sector makes it 1 again.
/// Here the regions are memory; in a port they are addresses in flash, of whole sectors that nothing else lies in.
class FlashStore final : public Store {
 public:
  /// PORT: bytes that the part erases at once. Each region is a multiple of it.
  static constexpr std::size_t kSector = 1024;

  /// Two regions of the same size. Agent::checkpoint_size() says how large.
  FlashStore(std::span<std::byte> first, std::span<std::byte> second) noexcept : regions_{first, second} {}

  [[nodiscard]] std::size_t slot_size() const noexcept override { return regions_[0].size(); }
  [[nodiscard]] Status read(unsigned slot, std::size_t offset, std::span<std::byte> into) noexcept override;
  [[nodiscard]] Status write(unsigned slot, std::size_t offset,
                             std::span<const std::byte> page) noexcept override;
  [[nodiscard]] Status erase(unsigned slot) noexcept override;
  [[nodiscard]] Status sync() noexcept override;

 private:
  std::array<std::span<std::byte>, kSlots> regions_;
};

}  // namespace popsgd::board
