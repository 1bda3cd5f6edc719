// Any store, with power that goes at a chosen call, or a medium that fails at one.
#pragma once

#include <popsgd/store.h>

#include <cstddef>
#include <optional>
#include <span>

namespace popsgd::test {

class FaultyStore final : public Store {
 public:
  explicit FaultyStore(Store& store) : store_(store) {}

  /// Power goes in the k-th write, erase or sync, which is still carried out, or not; nothing is, after it.
  void cut_at(std::size_t k, bool carried_out) {
    cut_at_ = k;
    carried_out_ = carried_out;
  }
  /// The k-th call of any kind is refused; those after it are not.
  void fail_at(std::size_t k) { fail_at_ = k; }

  [[nodiscard]] std::size_t changes() const { return changes_; }  ///< writes, erases and syncs
  [[nodiscard]] std::size_t calls() const { return calls_; }      ///< the same and reads

  [[nodiscard]] std::size_t slot_size() const noexcept override { return store_.slot_size(); }
  [[nodiscard]] Status read(unsigned slot, std::size_t offset, std::span<std::byte> into) noexcept override {
    if (fails() || off_) return Status::store_failed;
    return store_.read(slot, offset, into);
  }
  [[nodiscard]] Status write(unsigned slot, std::size_t offset,
                             std::span<const std::byte> page) noexcept override {
    return change([&] { return store_.write(slot, offset, page); });
  }
  [[nodiscard]] Status erase(unsigned slot) noexcept override {
    return change([&] { return store_.erase(slot); });
  }
  [[nodiscard]] Status sync() noexcept override {
    return change([&] { return store_.sync(); });
  }

 private:
  bool fails() { return calls_++ == fail_at_; }

  template <typename Do>
  Status change(Do carry_out) {
    const bool cut = changes_++ == cut_at_;
    if (fails() || off_) return Status::store_failed;
    if (!cut) return carry_out();
    off_ = true;
    if (carried_out_) static_cast<void>(carry_out());
    return Status::store_failed;
  }

  Store& store_;
  std::optional<std::size_t> cut_at_;
  std::optional<std::size_t> fail_at_;
  bool carried_out_ = false;
  bool off_ = false;
  std::size_t changes_ = 0;
  std::size_t calls_ = 0;
};

}  // namespace popsgd::test
