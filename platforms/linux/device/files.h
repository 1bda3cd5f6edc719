// What a store asks of the operating system: a test can give other answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace popsgd::device {

/// One call of the system each; begun again when a signal has interrupted it. They return what the call returns, or the
/// error's number, negative. Whatever is opened is closed when another program is executed.
class Files {
 public:
  virtual ~Files() = default;

  /// A directory for its owner only.
  virtual int make_directory(const std::string& path) noexcept = 0;
  /// A descriptor. `flags` as for open(2), `directory` as for openat(2). What it creates is for its owner only.
  virtual int open(int directory, const std::string& name, int flags) noexcept = 0;
  virtual void close(int file) noexcept = 0;
  /// Bytes of a file; -EISDIR for a directory, -EINVAL for what is no file either.
  virtual std::int64_t size(int file) noexcept = 0;
  /// Locks a directory until it is closed, or -EWOULDBLOCK if another has.
  virtual int lock(int directory) noexcept = 0;
  /// May read or write less than all, as the system may; a read of 0 bytes is the end of the file.
  virtual std::int64_t read(int file, std::uint64_t offset, std::span<std::byte> into) noexcept = 0;
  virtual std::int64_t write(int file, std::uint64_t offset, std::span<const std::byte> bytes) noexcept = 0;
  /// Makes a new file this long, of zeros, with all the room on the disk that it will ever need.
  virtual int allocate(int file, std::uint64_t size) noexcept = 0;
  /// All of the file is durable; of a directory, which names it holds.
  virtual int sync(int file) noexcept = 0;
  /// What is needed to read the file's bytes again is durable.
  virtual int sync_data(int file) noexcept = 0;
  virtual int rename(int directory, const std::string& from, const std::string& to) noexcept = 0;
  virtual int remove(int directory, const std::string& name) noexcept = 0;
  /// Who has locked the directory, a process's number; 0: not known.
  virtual int holder(int directory) noexcept = 0;
};

/// Linux itself.
[[nodiscard]] Files& system_files() noexcept;

}  // namespace popsgd::device
