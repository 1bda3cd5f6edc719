// Checkpoints in a directory: a Store of two files.
#pragma once

#include "device/files.h"

#include <popsgd/store.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace popsgd::device {

/// Two files, checkpoint.0 and checkpoint.1. To erase a slot is to put a new file in its place, with all of its room on the
/// disk reserved before the old file is touched: a full disk ends a save at its beginning. Pages then go to where they
/// belong. A slot without a file reads as zeros.
///
/// Every function gives Status::store_failed when the system refuses, and why() says what, where and why. The
/// checkpoint before is then untouched.
class FileStore final : public Store {
 public:
  explicit FileStore(Files& files = system_files()) noexcept : files_(files) {}
  ~FileStore();
  FileStore(const FileStore&) = delete;
  FileStore& operator=(const FileStore&) = delete;
  FileStore(FileStore&&) = delete;
  FileStore& operator=(FileStore&&) = delete;

  /// Opens the directory, or makes it, for its owner only, and locks it until the store is gone: no two agents share one. `size`:
  /// bytes that a checkpoint takes. Larger files that are there are read to their end.
  [[nodiscard]] Status open(const std::filesystem::path& directory, std::uint64_t size);

  /// Opens what is there to be read, of an agent that may be running: a directory, or one file as slot 0. Makes, locks and
  /// changes nothing; write() and erase() fail, sync() has nothing to do.
  [[nodiscard]] Status open_to_read(const std::filesystem::path& path);

  /// What failed last, for a person: "cannot write '/x/checkpoint.0': No space left on device (needs 410 kB free)".
  [[nodiscard]] const std::string& why() const { return why_; }
  /// Whether the slot has a file.
  [[nodiscard]] bool present(unsigned slot) const { return slots_[slot].file >= 0; }
  /// The slot's file, as the user would name it.
  [[nodiscard]] std::string path(unsigned slot) const;

  [[nodiscard]] std::size_t slot_size() const noexcept override { return static_cast<std::size_t>(size_); }
  [[nodiscard]] Status read(unsigned slot, std::size_t offset, std::span<std::byte> into) noexcept override;
  [[nodiscard]] Status write(unsigned slot, std::size_t offset,
                             std::span<const std::byte> page) noexcept override;
  [[nodiscard]] Status erase(unsigned slot) noexcept override;
  [[nodiscard]] Status sync() noexcept override;

 private:
  struct Slot {
    int file = -1;
    bool unsynced = false;    // written to since it was last made durable; at first for all we know
    bool undurable = false;   // the system could not make it durable, and may have forgotten that it should
    bool unreadable = false;  // the disk has given up what was read last
  };

  Status open_directory();
  Status open_slot(unsigned slot, int flags);
  Status check(int file, const std::string& path);
  Status replace(unsigned slot, bool copy);
  Status fill(int file, unsigned slot, bool copy);
  Status sync_slot(unsigned slot);
  Status sync_names();
  Status give_up_reading(unsigned slot, int error, std::span<std::byte> into);
  Status fail(const char* doing, const std::string& path, int error);
  void close();

  Files& files_;
  std::filesystem::path named_;  // as the user did
  int directory_ = -1;
  bool read_only_ = true;
  bool names_unsynced_ = false;  // the directory's
  std::uint64_t reserve_ = 0;
  std::uint64_t size_ = 0;
  std::array<Slot, kSlots> slots_{};
  std::string why_ = "no directory is open";
};

}  // namespace popsgd::device
