// Checkpoints in the board's flash, half of it for each of the two slots.
#pragma once

#include "device/flash.h"

#include <popsgd/store.h>

#include <cstddef>
#include <span>

namespace popsgd::cortex_m {

class FlashStore final : public Store {
 public:
  explicit FlashStore(Flash& flash) noexcept : flash_(flash) {}

  [[nodiscard]] std::size_t slot_size() const noexcept override { return Flash::kSize / kSlots; }
  [[nodiscard]] Status read(unsigned slot, std::size_t offset, std::span<std::byte> into) noexcept override {
    return done(flash_.read(slot * slot_size() + offset, into));
  }
  [[nodiscard]] Status write(unsigned slot, std::size_t offset,
                             std::span<const std::byte> page) noexcept override {
    return done(flash_.program(slot * slot_size() + offset, page));
  }
  [[nodiscard]] Status erase(unsigned slot) noexcept override {
    bool erased = true;
    for (std::size_t block = 0; block < slot_size() && erased; block += Flash::kBlock)
      erased = flash_.erase(slot * slot_size() + block);
    return done(erased);
  }
  /// Nothing is put off.
  [[nodiscard]] Status sync() noexcept override { return done(!flash_.failed()); }

 private:
  static Status done(bool done) { return done ? Status::ok : Status::store_failed; }

  Flash& flash_;
};

}  // namespace popsgd::cortex_m
