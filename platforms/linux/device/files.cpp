#include "device/files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace popsgd::device {
namespace {

/// Calls until no signal interrupts; what came of it, an error as a negative number.
template <typename Call>
auto persist(Call call) noexcept {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result < 0 ? static_cast<decltype(result)>(-errno) : result;
}

/// Where posix_fallocate() is not known to the file system: the zeros themselves.
int write_zeros(Files& files, int file, std::uint64_t size) noexcept {
  const std::array<std::byte, 4096> zeros{};
  for (std::uint64_t done = 0; done < size;) {
    const auto most = std::min<std::uint64_t>(zeros.size(), size - done);
    const std::int64_t count =
        files.write(file, done, std::span(zeros).first(static_cast<std::size_t>(most)));
    if (count <= 0) return count < 0 ? static_cast<int>(count) : -EIO;
    done += static_cast<std::uint64_t>(count);
  }
  return 0;
}

class SystemFiles final : public Files {
 public:
  int make_directory(const std::string& path) noexcept override {
    return persist([&] { return ::mkdir(path.c_str(), 0700); });
  }

  int open(int directory, const std::string& name, int flags) noexcept override {
    // Not to wait for whoever opens the other end, should it be a pipe.
    return persist([&] { return ::openat(directory, name.c_str(), flags | O_CLOEXEC | O_NONBLOCK, 0600); });
  }

  void close(int file) noexcept override { ::close(file); }

  std::int64_t size(int file) noexcept override {
    struct stat about {};
    if (const int result = persist([&] { return ::fstat(file, &about); }); result < 0) return result;
    if (S_ISDIR(about.st_mode)) return -EISDIR;
    return S_ISREG(about.st_mode) ? std::int64_t{about.st_size} : -EINVAL;
  }

  int lock(int directory) noexcept override {
    return persist([&] { return ::flock(directory, LOCK_EX | LOCK_NB); });
  }

  std::int64_t read(int file, std::uint64_t offset, std::span<std::byte> into) noexcept override {
    return persist([&] { return ::pread(file, into.data(), into.size(), static_cast<off_t>(offset)); });
  }

  std::int64_t write(int file, std::uint64_t offset, std::span<const std::byte> bytes) noexcept override {
    return persist([&] { return ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
  }

  int allocate(int file, std::uint64_t size) noexcept override {
    int error = 0;  // this one does not use errno
    do error = ::posix_fallocate(file, 0, static_cast<off_t>(size));
    while (error == EINTR);
    if (error == EOPNOTSUPP || error == EINVAL) return write_zeros(*this, file, size);
    return -error;
  }

  int sync(int file) noexcept override {
    return persist([&] { return ::fsync(file); });
  }

  int sync_data(int file) noexcept override {
    return persist([&] { return ::fdatasync(file); });
  }

  int rename(int directory, const std::string& from, const std::string& to) noexcept override {
    return persist([&] { return ::renameat(directory, from.c_str(), directory, to.c_str()); });
  }

  int remove(int directory, const std::string& name) noexcept override {
    return persist([&] { return ::unlinkat(directory, name.c_str(), 0); });
  }

  int holder(int directory) noexcept override;
};

/// A line of /proc/locks: "1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF".
int SystemFiles::holder(int directory) noexcept {
  struct stat about {};
  std::FILE* locks = ::fstat(directory, &about) == 0 ? std::fopen("/proc/locks", "re") : nullptr;
  if (locks == nullptr) return 0;
  int found = 0;
  for (std::array<char, 256> line{}; found == 0 && std::fgets(line.data(), line.size(), locks) != nullptr;) {
    int process = 0;
    unsigned major = 0;
    unsigned minor = 0;
    std::uintmax_t inode = 0;
    const int fields =
        std::sscanf(line.data(), "%*s FLOCK %*s %*s %d %x:%x:%" SCNuMAX, &process, &major, &minor, &inode);
    if (fields == 4 && inode == about.st_ino && ::makedev(major, minor) == about.st_dev) found = process;
  }
  std::fclose(locks);
  return std::max(found, 0);
}

}  // namespace

Files& system_files() noexcept {
  static SystemFiles files;
  return files;
}

}  // namespace popsgd::device
