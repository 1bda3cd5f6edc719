#include "atomic_file.h"

#include <popsgd/sim/error.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace popsgd::command {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, int reason) {
  throw sim::Error("cannot write '" + path.string() + "': " + std::generic_category().message(reason));
}

/// A new file beside `target`, gone again unless it takes the target's place. `named` is the path that the
/// user gave, for errors.
class TemporaryFile {
 public:
  TemporaryFile(const fs::path& target, const fs::path& named, mode_t mode = 0666)
      : target_(target), named_(named) {
    // A crashed process may have left a file under the same process number: take the next name.
    do {
      path_ = target_.parent_path() / unused_name();
      descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    } while (descriptor_ < 0 && (errno == EEXIST || errno == EINTR));
    if (descriptor_ < 0) fail(named_, errno);
  }

  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  ~TemporaryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!renamed_) ::unlink(path_.c_str());
  }

  void write(std::string_view contents) const {
    while (!contents.empty()) {
      const ssize_t written = ::write(descriptor_, contents.data(), contents.size());
      if (written >= 0)
        contents.remove_prefix(static_cast<std::size_t>(written));
      else if (errno != EINTR)
        fail(named_, errno);
    }
  }

  /// Some file systems report a full disk only when the file is flushed or closed.
  void flush_and_close() {
    if (::fsync(descriptor_) != 0) fail(named_, errno);
    const int closed = ::close(descriptor_);
    descriptor_ = -1;
    if (closed != 0 && errno != EINTR) fail(named_, errno);
  }

  void replace_target() {
    if (::rename(path_.c_str(), target_.c_str()) != 0) fail(named_, errno);
    renamed_ = true;
  }

  /// Fails if there is a target by now. Where the file system cannot ask that of a rename, a second name can.
  void become_target() {
    int result = ::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE);
    renamed_ = result == 0;
    if (result != 0 && errno == EINVAL) result = ::link(path_.c_str(), target_.c_str());
    if (result != 0) fail(named_, errno);
  }

 private:
  static std::string unused_name() {
    static std::atomic<unsigned> count = 0;
    return ".popsgd-" + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".tmp";
  }

  fs::path target_;
  fs::path named_;
  fs::path path_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

/// Makes a rename last. The file is whole with or without it, so a file system that cannot flush a directory
/// is no error.
void flush_directory(const fs::path& directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

/// The regular file, existing or to be, that `path` stands for. Renaming over a link would cut it, and over
/// /dev/stdout would replace the device.
fs::path resolve(const fs::path& path) {
  std::error_code error;
  const fs::path target = fs::weakly_canonical(fs::absolute(path, error), error);
  if (error) fail(path, error.value());
  if (fs::is_symlink(fs::symlink_status(target, error))) fail(path, ENOENT);  // a link to nothing
  const fs::file_status status = fs::status(target, error);
  if (fs::is_directory(status)) fail(path, EISDIR);
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw sim::Error("cannot write '" + path.string() + "': it is not a regular file");
  return target;
}

}  // namespace

void write_file_atomically(const fs::path& path, std::string_view contents) {
  const fs::path target = resolve(path);
  TemporaryFile file(target, path);
  file.write(contents);
  file.flush_and_close();
  file.replace_target();
  flush_directory(target.parent_path());
}

void write_secret_atomically(const fs::path& path, std::string_view contents, Existing existing) {
  std::error_code ignored;
  if (existing == Existing::keep && fs::exists(fs::symlink_status(path, ignored)))
    throw sim::Error("'" + path.string() + "' exists, and is not overwritten");
  const fs::path target = resolve(path);
  TemporaryFile file(target, path, 0600);
  file.write(contents);
  file.flush_and_close();
  existing == Existing::keep ? file.become_target() : file.replace_target();
  flush_directory(target.parent_path());
}

void prepare_output_directory(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw sim::Error("cannot create directory '" + directory.string() + "': " + error.message());
  TemporaryFile trial(fs::absolute(directory) / "trial", directory);
  trial.write("popsgd");
  trial.flush_and_close();
}

}  // namespace popsgd::command
