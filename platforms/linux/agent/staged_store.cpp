#include "agent/staged_store.h"

#include <algorithm>

namespace popsgd::command {

Status StagedStore::load() {
  loaded_ = false;
  changes_.clear();
  changes_.reserve(slot_size() / kPage + 8);
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    slots_[slot].resize(slot_size());
    if (const Status status = beneath_.read(slot, 0, slots_[slot]); status != Status::ok) return status;
  }
  loaded_ = true;
  return Status::ok;
}

Status StagedStore::flush() {
  if (!loaded_) return load();
  for (const Change& change : changes_) {
    const Status status = apply(change);
    if (status == Status::ok) continue;
    static_cast<void>(load());
    return status;
  }
  changes_.clear();
  return Status::ok;
}

Status StagedStore::apply(const Change& change) {
  switch (change.kind) {
    case Change::Kind::erase:
      return beneath_.erase(change.slot);
    case Change::Kind::sync:
      return beneath_.sync();
    default:
      return beneath_.write(change.slot, change.offset,
                            std::span(slots_[change.slot]).subspan(change.offset, kPage));
  }
}

Status StagedStore::read(unsigned slot, std::size_t offset, std::span<std::byte> into) noexcept {
  if (!loaded_) return Status::store_failed;
  std::ranges::copy(std::span(slots_[slot]).subspan(offset, into.size()), into.begin());
  return Status::ok;
}

Status StagedStore::write(unsigned slot, std::size_t offset, std::span<const std::byte> page) noexcept {
  if (!loaded_) return Status::store_failed;
  std::ranges::copy(page, slots_[slot].begin() + static_cast<std::ptrdiff_t>(offset));
  changes_.push_back({Change::Kind::write, slot, offset});
  return Status::ok;
}

Status StagedStore::erase(unsigned slot) noexcept {
  if (!loaded_) return Status::store_failed;
  std::ranges::fill(slots_[slot], std::byte{0});
  changes_.push_back({Change::Kind::erase, slot, 0});
  return Status::ok;
}

Status StagedStore::sync() noexcept {
  if (!loaded_) return Status::store_failed;
  changes_.push_back({Change::Kind::sync, 0, 0});
  return Status::ok;
}

}  // namespace popsgd::command
