// What a store of two files promises beyond the contract of all stores: on a disk that loses power or fails at any call, and on
// the real one.
#include "device/file_store.h"

#include "disk_model.h"
#include "scratch_directory.h"

#include <popsgd/checkpoint.h>
#include <popsgd/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using popsgd::Random;
using popsgd::Status;
using popsgd::Store;
using popsgd::device::FileStore;
using popsgd::test::DiskModel;
using popsgd::test::ScratchDirectory;
namespace checkpoint = popsgd::checkpoint;
namespace fs = std::filesystem;

constexpr std::uint64_t kFingerprint = 0x1122334455667788;
constexpr std::uint32_t kParameters = 150;
constexpr std::uint64_t kSize = checkpoint::slot_size(kParameters, 0);

using State = std::vector<float>;

State make_state(std::uint32_t index) {
  Random random(7, popsgd::Purpose::user, index);
  State state(kParameters);
  for (float& x : state) x = random.uniform();
  return state;
}

Status save(Store& store, const State& state) {
  return checkpoint::save(store, {.fingerprint = kFingerprint, .parameters = state});
}

struct Found {
  Status status;
  State state;
};

Found load(Store& store) {
  State state(kParameters);
  const auto result = checkpoint::load(store, kFingerprint, state, {});
  return {result.status(), state};
}

bool loads(Store& store, const State& expected) {
  const Found found = load(store);
  return found.status == Status::ok && found.state == expected;
}

/// Opens the directory on this disk; states 1 to `saved` follow each other there.
std::unique_ptr<FileStore> open_with(DiskModel& disk, std::uint32_t saved) {
  auto store = std::make_unique<FileStore>(disk);
  REQUIRE(store->open("state", kSize) == Status::ok);
  for (std::uint32_t k = 1; k <= saved; ++k) REQUIRE(save(*store, make_state(k)) == Status::ok);
  return store;
}

/// Calls of the system that a save makes.
std::size_t calls_of_a_save(std::uint32_t saved) {
  DiskModel disk(0);
  const auto store = open_with(disk, saved);
  const std::size_t before = disk.calls();
  REQUIRE(save(*store, make_state(9)) == Status::ok);
  return disk.calls() - before;
}

/// As after power-on: the state before or the one after, entire, and another is saved.
void check_restart(DiskModel& disk, std::uint32_t saved) {
  FileStore store(disk);
  REQUIRE(store.open("state", kSize) == Status::ok);
  const Found found = load(store);
  if (saved == 0 && found.status != Status::ok) {
    REQUIRE((found.status == Status::no_checkpoint || found.status == Status::checkpoint_damaged));
  } else {
    REQUIRE(found.status == Status::ok);
    REQUIRE((found.state == make_state(saved + 1) || (saved > 0 && found.state == make_state(saved))));
  }
  REQUIRE(save(store, make_state(9)) == Status::ok);
  REQUIRE(loads(store, make_state(9)));
}

TEST_CASE(
    "power cut in every call of a save leaves the old state or the new, whatever the disk makes of the "
    "rest") {
  for (std::uint32_t saved = 0; saved <= 2; ++saved) {
    for (std::size_t cut = 0; cut < calls_of_a_save(saved); ++cut) {
      for (std::uint32_t seed = 0; seed < 24; ++seed) {
        CAPTURE(saved);
        CAPTURE(cut);
        CAPTURE(seed);
        DiskModel disk(seed);
        auto store = open_with(disk, saved);
        disk.cut_at(cut);
        const Status status = save(*store, make_state(saved + 1));
        REQUIRE(status != Status::ok);
        store.reset();
        disk.restart_power();
        check_restart(disk, saved);
      }
    }
  }
}

TEST_CASE(
    "power cut while a directory is made, opened or saved to for the first time leaves it fit for use") {
  for (std::size_t cut = 0;; ++cut) {
    CAPTURE(cut);
    bool done = false;
    for (std::uint32_t seed = 0; seed < 8; ++seed) {
      DiskModel disk(seed);
      disk.cut_at(cut);
      {
        FileStore store(disk);
        done = store.open("state", kSize) == Status::ok && save(store, make_state(1)) == Status::ok;
      }
      disk.restart_power();
      check_restart(disk, done ? 1 : 0);
    }
    if (done) break;
  }
}

TEST_CASE("what is loaded after the program ended in a save is durable, though nobody lost power till then") {
  for (std::uint32_t saved = 1; saved <= 2; ++saved) {
    for (std::size_t end = 0; end < calls_of_a_save(saved); ++end) {
      for (std::uint32_t seed = 0; seed < 8; ++seed) {
        CAPTURE(saved);
        CAPTURE(end);
        CAPTURE(seed);
        DiskModel disk(seed);
        auto store = open_with(disk, saved);
        disk.cut_at(end);
        REQUIRE(save(*store, make_state(saved + 1)) != Status::ok);
        store.reset();
        disk.restart_program();
        store = std::make_unique<FileStore>(disk);
        REQUIRE(store->open("state", kSize) == Status::ok);
        const Found found = load(*store);
        REQUIRE(found.status == Status::ok);
        store.reset();
        disk.restart_power();
        store = std::make_unique<FileStore>(disk);
        REQUIRE(store->open("state", kSize) == Status::ok);
        REQUIRE(loads(*store, found.state));
      }
    }
  }
}

TEST_CASE("what a save has called durable no loss of power takes back") {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    DiskModel disk(seed);
    for (std::uint32_t k = 1; k <= 4; ++k) {
      auto store = std::make_unique<FileStore>(disk);
      REQUIRE(store->open("state", kSize) == Status::ok);
      REQUIRE(save(*store, make_state(k)) == Status::ok);
      store.reset();
      disk.restart_power();
      FileStore again(disk);
      REQUIRE(again.open("state", kSize) == Status::ok);
      REQUIRE(loads(again, make_state(k)));
    }
  }
}

TEST_CASE(
    "any call may fail, in a save or in the one after: nothing durable is lost, and the next is durable") {
  for (const int error : {EIO, ENOSPC, EDQUOT, EROFS}) {
    for (std::size_t k = 0; k < calls_of_a_save(2); ++k) {
      for (std::uint32_t seed = 0; seed < 4; ++seed) {
        CAPTURE(error);
        CAPTURE(k);
        CAPTURE(seed);
        DiskModel disk(seed);
        auto store = open_with(disk, 2);
        disk.fail_at(k, error);
        const Status status = save(*store, make_state(3));
        REQUIRE((status == Status::ok || status == Status::store_failed));
        if (status != Status::ok) CHECK(store->why().find("state") != std::string::npos);
        const Found found = load(*store);
        REQUIRE(found.status == Status::ok);
        REQUIRE((found.state == make_state(3) || (status != Status::ok && found.state == make_state(2))));
        const State last = found.state;  // loaded, so it is durable

        store.reset();
        disk.restart_power();
        store = std::make_unique<FileStore>(disk);
        REQUIRE(store->open("state", kSize) == Status::ok);
        REQUIRE(loads(*store, last));
        REQUIRE(save(*store, make_state(4)) == Status::ok);
        store.reset();
        disk.restart_power();
        store = std::make_unique<FileStore>(disk);
        REQUIRE(store->open("state", kSize) == Status::ok);
        REQUIRE(loads(*store, make_state(4)));
      }
    }
  }
}

TEST_CASE("a sync that fails is not forgotten: no later one says durable what the system has dropped") {
  for (std::uint32_t seed = 0; seed < 32; ++seed) {
    DiskModel disk(seed);
    auto store = open_with(disk, 1);
    const std::vector<std::byte> page(Store::kPage, std::byte{0x3C});
    REQUIRE(store->write(1, Store::kPage, page) == Status::ok);
    disk.fail_at(0, EIO);  // slot 0 and the names have nothing to be synced
    REQUIRE(store->sync() == Status::store_failed);
    REQUIRE(store->sync() == Status::ok);
    store.reset();
    disk.restart_power();
    FileStore again(disk);
    REQUIRE(again.open("state", kSize) == Status::ok);
    std::vector<std::byte> found(Store::kPage);
    REQUIRE(again.read(1, Store::kPage, found) == Status::ok);
    CHECK(found == page);
  }
}

TEST_CASE(
    "bytes that the disk has lost in one slot do not keep the other from being loaded; a disk that is gone "
    "does") {
  DiskModel disk(1);
  auto store = open_with(disk, 2);
  bool older = false;
  for (std::size_t k = 0; k < 4; ++k) {
    disk.fail_at(k, EIO);
    const Found found = load(*store);
    REQUIRE(found.status == Status::ok);
    older = older || found.state == make_state(1);
  }
  CHECK(older);  // where it was the newer one's bytes that were lost
  disk.cut_at(0);
  CHECK(load(*store).status == Status::store_failed);
  CHECK(store->why() == "cannot read 'state/checkpoint.1': Input/output error");
}

TEST_CASE("a disk that takes a few bytes at a time is written and read in full") {
  DiskModel disk(1);
  disk.most_at_once(7);
  const auto store = open_with(disk, 3);
  CHECK(loads(*store, make_state(3)));
}

TEST_CASE(
    "nothing stays open, and an erase that was cut off leaves no file once the directory is opened again") {
  DiskModel disk(1);
  {
    const auto store = open_with(disk, 2);
    disk.fail_at(5, ENOSPC);
    static_cast<void>(save(*store, make_state(3)));
  }
  CHECK(disk.open_files() == 0);
  const int state = disk.open(AT_FDCWD, "state", O_RDONLY | O_DIRECTORY);
  disk.close(disk.open(state, "checkpoint.1.new", O_RDWR | O_CREAT));
  disk.close(state);
  FileStore store(disk);
  REQUIRE(store.open("state", kSize) == Status::ok);
  CHECK(disk.names("state") == std::vector<std::string>{"checkpoint.0", "checkpoint.1"});
}

// --- on the real disk

std::vector<std::byte> contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::byte> bytes;
  for (char c = 0; file.get(c);) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

mode_t mode_of(const fs::path& path) {
  struct stat about {};
  REQUIRE(::lstat(path.c_str(), &about) == 0);
  return about.st_mode & 07777U;
}

TEST_CASE(
    "the directory and its files are the owner's alone, and are not handed on to programs that are started") {
  const ScratchDirectory scratch;
  const fs::path state = scratch.path() / "state";
  const mode_t mask = ::umask(0);
  FileStore store;
  REQUIRE(store.open(state, kSize) == Status::ok);
  REQUIRE(save(store, make_state(1)) == Status::ok);
  ::umask(mask);
  CHECK(mode_of(state) == 0700);
  CHECK(mode_of(state / "checkpoint.0") == 0600);
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const fs::path target = fs::read_symlink(entry.path(), gone);
    if (gone || target.string().find(scratch.path().string()) == std::string::npos) continue;
    CHECK((::fcntl(std::stoi(entry.path().filename().string()), F_GETFD) & FD_CLOEXEC) != 0);
  }
}

TEST_CASE("two stores never share a directory, and the second says whose it is") {
  const ScratchDirectory scratch;
  const fs::path state = scratch.path() / "state";
  {
    FileStore first;
    REQUIRE(first.open(state, kSize) == Status::ok);
    FileStore second;
    REQUIRE(second.open(state, kSize) == Status::store_failed);
    const std::string process = "process " + std::to_string(::getpid());
    const bool named = second.why().find(process) != std::string::npos;
    CHECK((named || second.why().find("another process") != std::string::npos));
    CHECK(second.why().find("'" + state.string() + "' is in use by ") == 0);
    CHECK(save(second, make_state(1)) == Status::store_failed);
  }
  FileStore third;
  CHECK(third.open(state, kSize) == Status::ok);
}

TEST_CASE("a store opened to be read makes, locks and changes nothing, beside an agent that runs") {
  const ScratchDirectory scratch;
  const fs::path state = scratch.path() / "state";
  FileStore nothing;
  CHECK(nothing.open_to_read(state) == Status::store_failed);
  CHECK(nothing.why() == "cannot open '" + state.string() + "': No such file or directory");
  CHECK_FALSE(fs::exists(state));

  FileStore agent;
  REQUIRE(agent.open(state, kSize) == Status::ok);
  REQUIRE(save(agent, make_state(1)) == Status::ok);
  FileStore reader;
  REQUIRE(reader.open_to_read(state) == Status::ok);
  CHECK(reader.present(0));
  CHECK_FALSE(reader.present(1));
  CHECK(reader.slot_size() == kSize);
  CHECK(loads(reader, make_state(1)));
  CHECK(save(reader, make_state(2)) == Status::store_failed);
  CHECK(reader.why() == "cannot write '" + (state / "checkpoint.1").string() + "': Read-only file system");
  CHECK_FALSE(fs::exists(state / "checkpoint.1"));
  REQUIRE(save(agent, make_state(2)) == Status::ok);
  CHECK(loads(reader, make_state(1)));  // as it was when it was opened

  FileStore file;
  REQUIRE(file.open_to_read(state / "checkpoint.1") == Status::ok);
  CHECK(loads(file, make_state(2)));
}

TEST_CASE("a larger checkpoint than this agent's is read to its end, and a smaller one, too") {
  const ScratchDirectory scratch;
  {
    FileStore store;
    REQUIRE(store.open(scratch.path(), kSize) == Status::ok);
    REQUIRE(save(store, make_state(1)) == Status::ok);
  }
  {
    FileStore smaller;
    REQUIRE(smaller.open(scratch.path(), Store::kPage) == Status::ok);
    CHECK(smaller.slot_size() == kSize);
    CHECK(loads(smaller, make_state(1)));
    REQUIRE(save(smaller, make_state(2)) == Status::ok);
    CHECK(loads(smaller, make_state(2)));
  }
  FileStore larger;
  REQUIRE(larger.open(scratch.path(), 10 * kSize) == Status::ok);
  CHECK(larger.slot_size() == 10 * kSize);
  CHECK(loads(larger, make_state(2)));
}

TEST_CASE("what is no directory, no file, or a link in place of a checkpoint is refused by name") {
  const ScratchDirectory scratch;
  const fs::path& in = scratch.path();
  const auto refuses = [&](const fs::path& path, const std::string& words) {
    FileStore store;
    CHECK(store.open(path, kSize) == Status::store_failed);
    CAPTURE(store.why());
    CHECK(store.why().find(words) != std::string::npos);
  };
  std::ofstream(in / "file") << "not a directory";
  refuses(in / "file", "cannot open '" + (in / "file").string() + "': Not a directory");
  refuses(in / "missing" / "state",
          "cannot create '" + (in / "missing" / "state").string() + "': No such file");
  fs::create_directory(in / "linked");
  fs::create_symlink(in / "file", in / "linked" / "checkpoint.1");
  refuses(in / "linked", "'" + (in / "linked" / "checkpoint.1").string() + "' is a symbolic link");
  fs::create_directories(in / "nested" / "checkpoint.0");
  refuses(in / "nested", "checkpoint.0': Is a directory");
  fs::create_directory(in / "piped");
  REQUIRE(::mkfifo((in / "piped" / "checkpoint.0").c_str(), 0600) == 0);
  refuses(in / "piped", "is not a file");
  // A directory may be a link: that is what service managers make of one.
  fs::create_directory(in / "private");
  fs::create_directory_symlink(in / "private", in / "public");
  FileStore store;
  REQUIRE(store.open(in / "public", kSize) == Status::ok);
  REQUIRE(save(store, make_state(1)) == Status::ok);
  CHECK(fs::exists(in / "private" / "checkpoint.0"));
}

TEST_CASE("a new file beside the old one is never written through a link that somebody has put there") {
  const ScratchDirectory scratch;
  std::ofstream(scratch.path() / "victim") << "precious";
  FileStore store;
  REQUIRE(store.open(scratch.path() / "state", kSize) == Status::ok);
  fs::create_symlink(scratch.path() / "victim", scratch.path() / "state" / "checkpoint.0.new");
  REQUIRE(save(store, make_state(1)) == Status::ok);
  CHECK(fs::file_size(scratch.path() / "victim") == 8);
  CHECK_FALSE(fs::is_symlink(scratch.path() / "state" / "checkpoint.0"));
}

/// Runs `body` in a process of its own, whose limits are its own; whether it returned true.
template <typename Body>
bool in_another_process(Body body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(body() ? 0 : 1);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_CASE("a limit on the size of files fails a save at its beginning, and leaves the one before as it was") {
  const ScratchDirectory scratch;
  FileStore store;
  REQUIRE(store.open(scratch.path(), kSize) == Status::ok);
  for (std::uint32_t k = 1; k <= 2; ++k) REQUIRE(save(store, make_state(k)) == Status::ok);
  const std::array before{contents(scratch.path() / "checkpoint.0"),
                          contents(scratch.path() / "checkpoint.1")};
  CHECK(in_another_process([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = kSize - 1, .rlim_max = kSize - 1};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    return save(store, make_state(3)) == Status::store_failed &&
           store.why().find("File too large") != std::string::npos;
  }));
  CHECK(contents(scratch.path() / "checkpoint.0") == before[0]);
  CHECK(contents(scratch.path() / "checkpoint.1") == before[1]);
  CHECK(std::distance(fs::directory_iterator(scratch.path()), fs::directory_iterator{}) == 2);
  CHECK(loads(store, make_state(2)));
}

TEST_CASE(
    "a full disk fails a save before anything old is touched, says how much it needs, and is saved to when "
    "it has room") {
  const ScratchDirectory scratch;
  constexpr std::uint32_t kLarge = 100'000;
  constexpr std::uint64_t kBytes = checkpoint::slot_size(kLarge, 0);
  if (::mount("none", scratch.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    MESSAGE("not allowed to mount a small disk: left out");
    return;
  }
  {
    FileStore store;
    REQUIRE(store.open(scratch.path() / "state", kBytes) == Status::ok);
    const auto save_of = [&](float value) {
      const State state(kLarge, value);
      return checkpoint::save(store, {.fingerprint = kFingerprint, .parameters = state});
    };
    REQUIRE(save_of(1) == Status::ok);
    REQUIRE(save_of(2) == Status::ok);
    const auto before = contents(scratch.path() / "state" / "checkpoint.0");
    CHECK(save_of(3) == Status::store_failed);  // there is room for two of three
    CHECK(store.why() == "cannot write '" + (scratch.path() / "state" / "checkpoint.0").string() +
                             "': No space left on device (needs 401 kB free)");
    CHECK(contents(scratch.path() / "state" / "checkpoint.0") == before);
    CHECK_FALSE(fs::exists(scratch.path() / "state" / "checkpoint.0.new"));
    State found(kLarge);
    REQUIRE(checkpoint::load(store, kFingerprint, found, {}).ok());
    CHECK(found == State(kLarge, 2));
    REQUIRE(::mount("none", scratch.path().c_str(), "tmpfs", MS_REMOUNT, "size=2m") == 0);
    CHECK(save_of(3) == Status::ok);
  }
  CHECK(::umount(scratch.path().c_str()) == 0);
}

}  // namespace
