#include "key/key_file.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace popsgd::command {
namespace {

/// A descriptor, closed at its end.
struct Open {
  explicit Open(int number) : file(number) {}
  ~Open() {
    if (file >= 0) ::close(file);
  }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;
  int file;
};

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw sim::Error("key file '" + path + "': " + why);
}

[[noreturn]] void fail(const std::string& path) {
  if (errno == ELOOP) fail(path, "it is a symbolic link; give the file itself");
  const std::string why = std::generic_category().message(errno);
  fail(path, errno == ENOENT ? why + "; popsgd keygen makes one" : why);
}

/// Of the file that is open, so that nobody puts another in its place meanwhile.
void check_owner_and_mode(const std::string& path, int file) {
  struct stat about {};
  if (::fstat(file, &about) != 0) fail(path);
  if (!S_ISREG(about.st_mode)) fail(path, "it is not a regular file");
  const uid_t user = ::geteuid();
  if (about.st_uid != user && about.st_uid != 0)
    fail(path, "it is user " + std::to_string(about.st_uid) + "'s, who could change it; chown " +
                   std::to_string(user) + " '" + path + "'");
  const bool handed_over = about.st_uid == 0 && user != 0;
  const mode_t others = handed_over ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
  if ((about.st_mode & others) == 0) return;
  std::array<char, 8> mode{};
  std::snprintf(mode.data(), mode.size(), "%04o", about.st_mode & 07777U);
  fail(path, "others may read or change it (mode " + std::string(mode.data()) + "); chmod 600 '" + path +
                 "', and consider who has read it");
}

}  // namespace

void read_key_file(const std::string& path, SwarmKey& into) {
  // Not to wait for whoever opens the other end, should it be a pipe.
  const Open key(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (key.file < 0) fail(path);
  check_owner_and_mode(path, key.file);
  Secret<std::array<char, kLongestKeyText + 1>> contents;
  std::size_t size = 0;
  while (size < contents.value.size()) {
    const ssize_t count = ::read(key.file, contents.value.data() + size, contents.value.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  const std::string wrong = read_key_text({contents.value.data(), size}, into);
  if (!wrong.empty()) fail(path, wrong);
}

void write_key_file(const std::string& path, const SwarmKey& key, Existing existing) {
  EnrolmentText text;
  write_enrolment(key, text);
  const std::string comment = "# The key of a popsgd swarm, epoch " + std::to_string(key.epoch) +
                              ". Whoever has it may join: keep it secret.\n";
  Secret<std::array<char, kLongestKeyText>> contents;
  char* end = std::copy(comment.begin(), comment.end(), contents.value.data());
  end = std::copy(text.value.begin(), text.value.end(), end);
  *end++ = '\n';
  const auto size = static_cast<std::size_t>(end - contents.value.data());
  write_secret_atomically(path, {contents.value.data(), size}, existing);
}

}  // namespace popsgd::command
