// A store whose medium is written to later: so that a checkpoint is made in no more time than a copy takes.
#pragma once

#include <popsgd/store.h>

#include <cstdint>
#include <vector>

namespace popsgd::command {

/// Both slots in memory, as they will be. What is written, erased and synced meanwhile is done to the store beneath, in
/// the same order, by flush(): a cut of power anywhere leaves what it would have left without this in between.
class StagedStore final : public Store {
 public:
  /// `beneath` must outlive it, and be used by nobody else.
  explicit StagedStore(Store& beneath) : beneath_(beneath) {}

  /// Reads what is there. Until that has succeeded everything fails.
  [[nodiscard]] Status load();
  /// If the store beneath fails, what had been staged is given up, and what is there is read again; at the next flush() if it
  /// cannot be read either: a checkpoint is never written over one that has not been seen.
  [[nodiscard]] Status flush();

  [[nodiscard]] std::size_t slot_size() const noexcept override { return beneath_.slot_size(); }
  [[nodiscard]] Status read(unsigned slot, std::size_t offset, std::span<std::byte> into) noexcept override;
  [[nodiscard]] Status write(unsigned slot, std::size_t offset,
                             std::span<const std::byte> page) noexcept override;
  [[nodiscard]] Status erase(unsigned slot) noexcept override;
  [[nodiscard]] Status sync() noexcept override;

 private:
  struct Change {
    enum class Kind : std::uint8_t { write, erase, sync } kind;
    unsigned slot;
    std::size_t offset;
  };
  [[nodiscard]] Status apply(const Change& change);

  Store& beneath_;
  std::vector<std::byte> slots_[kSlots];
  std::vector<Change> changes_;
  bool loaded_ = false;
};

}  // namespace popsgd::command
