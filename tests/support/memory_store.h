// A store in memory that fails as real ones do: power goes in the middle of a write, what was not synced is lost or
// kept, bits flip, the medium does not answer.
#pragma once

#include <popsgd/random.h>
#include <popsgd/store.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace popsgd::test {

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(std::size_t slot_size, std::byte blank = std::byte{0xFF})
      : blank_(blank), written_(slot_size / kPage) {
    shown_.fill(std::vector<std::byte>(slot_size, blank));
    durable_ = shown_;
  }

  [[nodiscard]] std::size_t slot_size() const noexcept override { return shown_[0].size(); }

  [[nodiscard]] Status read(unsigned slot, std::size_t offset, std::span<std::byte> into) noexcept override {
    if (flip_ && flip_->read == reads_) flip_bit(flip_->slot, flip_->bit);
    ++reads_;
    if (dead_ || fails()) return Status::store_failed;
    if (!in_range(slot, offset, into.size())) return violation();
    std::copy_n(shown_[slot].begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    return Status::ok;
  }

  [[nodiscard]] Status write(unsigned slot, std::size_t offset,
                             std::span<const std::byte> page) noexcept override {
    if (!in_range(slot, offset, page.size()) || offset % kPage != 0 || page.size() != kPage)
      return violation();
    const auto written = written_.begin() + static_cast<std::ptrdiff_t>(offset / kPage);
    if ((*written & 1U << slot) != 0) return violation();
    *written |= 1U << slot;
    log_ += offset == 0 ? 'h' : 'p';
    return change({slot, offset, {page.begin(), page.end()}});
  }

  [[nodiscard]] Status erase(unsigned slot) noexcept override {
    if (slot >= kSlots) return violation();
    log_ += 'e';
    for (auto& written : written_) written &= ~(1U << slot);
    return change({slot, 0, std::vector<std::byte>(slot_size(), blank_)});
  }

  [[nodiscard]] Status sync() noexcept override {
    log_ += 's';
    const bool cut = changes_++ == cut_at_;
    if (cut) dead_ = true;
    if (dead_ || fails()) return Status::store_failed;
    durable_ = shown_;
    pending_.clear();
    return Status::ok;
  }

  /// Power goes, or the program ends, in the k-th write, erase or sync from now, of whose bytes the first `torn` arrive.
  void cut_at(std::size_t k, std::size_t torn) {
    cut_at_ = changes_ + k;
    torn_ = torn;
  }

  /// The k-th operation of any kind from now is not done, and says so; those after it are.
  void fail_at(std::size_t k) { fail_at_ = operations_ + k; }

  /// Just before the k-th read from now, bit `bit` of the slot flips.
  void flip_at_read(std::size_t k, unsigned slot, std::size_t bit) { flip_ = Flip{reads_ + k, slot, bit}; }

  void flip_bit(unsigned slot, std::size_t bit) noexcept {
    shown_[slot][bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }

  /// The program starts again; power was never lost, so what was not synced is there, and still not durable.
  void restart_program() {
    dead_ = false;
    cut_at_.reset();
  }

  /// Power comes back: each change since the last sync is kept, lost or kept in part, whatever became of the others.
  void restart_power(Random& random) {
    shown_ = durable_;
    for (const Change& change : pending_) {
      const std::uint32_t fate = random.below(4);
      if (fate == 0) continue;
      apply(change, fate == 1 ? random.below(static_cast<std::uint32_t>(change.bytes.size() + 1)) : kAll);
    }
    pending_.clear();
    durable_ = shown_;
    restart_program();
  }

  /// Both slots end at `size` bytes from now on.
  void truncate(std::size_t size) {
    for (auto& slot : shown_) slot.resize(size);
    for (auto& slot : durable_) slot.resize(size);
  }

  [[nodiscard]] std::span<std::byte> slot(unsigned slot) { return shown_[slot]; }
  [[nodiscard]] std::size_t reads() const { return reads_; }
  [[nodiscard]] std::size_t changes() const { return changes_; }        ///< writes, erases and syncs
  [[nodiscard]] std::size_t operations() const { return operations_; }  ///< the same and reads
  /// What was asked for, a letter each: (e)rase, write of a (h)eader's page or of a (p)age of payload, (s)ync.
  [[nodiscard]] const std::string& log() const { return log_; }
  [[nodiscard]] std::size_t violations() const { return violations_; }  ///< of the contract in store.h

 private:
  struct Change {
    unsigned slot;
    std::size_t offset;
    std::vector<std::byte> bytes;
  };
  struct Flip {
    std::size_t read;
    unsigned slot;
    std::size_t bit;
  };
  static constexpr std::size_t kAll = ~std::size_t{0};

  [[nodiscard]] bool in_range(unsigned slot, std::size_t offset, std::size_t length) const {
    return slot < kSlots && offset <= slot_size() && length <= slot_size() - offset;
  }
  Status violation() {
    ++violations_;
    return Status::store_failed;
  }
  bool fails() { return operations_++ == fail_at_; }

  void apply(const Change& change, std::size_t most) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(change.bytes.size(), most));
    std::copy_n(change.bytes.begin(), count,
                shown_[change.slot].begin() + static_cast<std::ptrdiff_t>(change.offset));
  }

  Status change(Change change) {
    const bool cut = changes_++ == cut_at_;
    if (dead_ || fails()) return Status::store_failed;
    if (cut) {
      dead_ = true;
      change.bytes.resize(std::min(change.bytes.size(), torn_));
    }
    apply(change, kAll);
    pending_.push_back(std::move(change));
    return cut ? Status::store_failed : Status::ok;
  }

  std::byte blank_;
  std::array<std::vector<std::byte>, kSlots> shown_;    // what read() shows
  std::array<std::vector<std::byte>, kSlots> durable_;  // what outlives a loss of power for certain
  std::vector<Change> pending_;                         // the way from durable_ to shown_
  std::vector<unsigned> written_;                       // of each page, bit s: since slot s was erased
  std::string log_;
  std::optional<std::size_t> cut_at_;
  std::optional<std::size_t> fail_at_;
  std::optional<Flip> flip_;
  std::size_t torn_ = 0;
  std::size_t reads_ = 0;
  std::size_t changes_ = 0;
  std::size_t operations_ = 0;
  std::size_t violations_ = 0;
  bool dead_ = false;
};

}  // namespace popsgd::test
