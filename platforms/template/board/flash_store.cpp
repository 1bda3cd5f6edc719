#include "board/flash_store.h"

#include <algorithm>

namespace popsgd::board {
namespace {

// PORT: these two are the part's driver. Both return when the part is done, and say whether it reports success. Code that
// runs from the same bank of flash stalls meanwhile, interrupts too: mind the watchdog, or run this from RAM.

bool erase_sector(std::span<std::byte> sector) noexcept {
  std::ranges::fill(sector, std::byte{0xFF});
  return true;
}

bool program(std::span<std::byte> at, std::span<const std::byte> bytes) noexcept {
  std::ranges::transform(at, bytes, at.begin(), [](std::byte cell, std::byte b) { return cell & b; });
  return true;
}

}  // namespace

Status FlashStore::read(unsigned slot, std::size_t offset, std::span<std::byte> into) noexcept {
  // PORT: flash in the processor's own address space is read like memory; serial flash by its driver. Where the part
  // raises a fault on bytes that its error correction has given up, catch it here and return any bytes, with ok.
  std::ranges::copy(regions_[slot].subspan(offset, into.size()), into.begin());
  return Status::ok;
}

Status FlashStore::write(unsigned slot, std::size_t offset, std::span<const std::byte> page) noexcept {
  const auto at = regions_[slot].subspan(offset, page.size());
  if (!program(at, page)) return Status::store_failed;
  // Cells wear out, and not every part says so. To look is cheap, and better now than after the next power-on.
  return std::ranges::equal(at, page) ? Status::ok : Status::store_failed;
}

Status FlashStore::erase(unsigned slot) noexcept {
  for (auto rest = regions_[slot]; !rest.empty();) {
    const auto sector = rest.first(std::min(kSector, rest.size()));
    if (!erase_sector(sector)) return Status::store_failed;
    rest = rest.subspan(sector.size());
  }
  return Status::ok;
}

Status FlashStore::sync() noexcept {
  // PORT: if the driver queues, or a cache lies between, wait here until all of it is in the part. Here nothing does.
  return Status::ok;
}

}  // namespace popsgd::board
