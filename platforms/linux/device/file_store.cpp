#include "device/file_store.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>

namespace popsgd::device {
namespace {

namespace fs = std::filesystem;

std::string file_name(unsigned slot) {
  return "checkpoint." + std::to_string(slot);
}

std::string new_name(unsigned slot) {
  return file_name(slot) + ".new";
}

std::string quoted(const std::string& path) {
  return "'" + path + "'";
}

/// Rounded up, so that who frees as much has enough.
std::string readable(std::uint64_t bytes) {
  return bytes < 10'000'000 ? std::to_string((bytes + 999) / 1000) + " kB"
                            : std::to_string((bytes + 999'999) / 1'000'000) + " MB";
}

/// The disk has answered, and has lost these bytes; or it does not answer, which looks the same.
bool is_given_up(int error) {
  return error == EIO || error == EBADMSG || error == EUCLEAN;
}

}  // namespace

FileStore::~FileStore() {
  close();
}

void FileStore::close() {
  for (Slot& slot : slots_) {
    if (slot.file >= 0) files_.close(slot.file);
    slot = {};
  }
  if (directory_ >= 0) files_.close(directory_);  // and with it goes the lock
  directory_ = -1;
  read_only_ = true;
}

std::string FileStore::path(unsigned slot) const {
  return directory_ < 0 ? named_.string() : (named_ / file_name(slot)).string();
}

Status FileStore::fail(const char* doing, const std::string& path, int error) {
  why_ = std::string("cannot ") + doing + " " + quoted(path) + ": " + std::generic_category().message(error);
  if (error == ENOSPC || error == EDQUOT) why_ += " (needs " + readable(reserve_) + " free)";
  return Status::store_failed;
}

Status FileStore::open(const fs::path& directory, std::uint64_t size) {
  close();
  named_ = directory;
  reserve_ = size_ = size;
  Status status = open_directory();
  for (unsigned slot = 0; slot < kSlots && status == Status::ok; ++slot) {
    static_cast<void>(files_.remove(directory_, new_name(slot)));  // an erase that was cut off
    status = open_slot(slot, O_RDWR | O_NOFOLLOW);
  }
  if (status != Status::ok) {
    close();
    return status;
  }
  read_only_ = false;
  names_unsynced_ = true;  // whoever was here before may have ended in a save
  return status;
}

Status FileStore::open_directory() {
  const std::string path = named_.string();
  const int made = files_.make_directory(path);
  if (made < 0 && made != -EEXIST) return fail("create", path, -made);
  directory_ = files_.open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  if (directory_ < 0) return fail("open", path, -directory_);
  if (const int locked = files_.lock(directory_); locked == -EWOULDBLOCK) {
    const int holder = files_.holder(directory_);
    const std::string process = holder > 0 ? "process " + std::to_string(holder) : "another process";
    why_ = quoted(path) + " is in use by " + process + "; every agent needs a directory of its own";
    return Status::store_failed;
  } else if (locked < 0) {
    return fail("lock", path, -locked);
  }
  if (made < 0) return Status::ok;
  // What is kept in a directory that is itself forgotten is lost. Not all may read the one above.
  const int parent = files_.open(directory_, "..", O_RDONLY | O_DIRECTORY);
  if (parent < 0) return Status::ok;
  const int synced = files_.sync(parent);
  files_.close(parent);
  return synced < 0 && synced != -EINVAL ? fail("create", path, -synced) : Status::ok;
}

Status FileStore::open_to_read(const fs::path& path) {
  close();
  named_ = path;
  reserve_ = size_ = 0;
  const int opened = files_.open(AT_FDCWD, path.string(), O_RDONLY);
  if (opened < 0) return fail("open", path.string(), -opened);
  Status status = Status::ok;
  if (files_.size(opened) == -EISDIR) {
    directory_ = opened;
    for (unsigned slot = 0; slot < kSlots && status == Status::ok; ++slot) {
      status = open_slot(slot, O_RDONLY | O_NOFOLLOW);
    }
  } else {
    slots_[0].file = opened;
    status = check(opened, path.string());
  }
  if (status != Status::ok) close();
  return status;
}

Status FileStore::open_slot(unsigned slot, int flags) {
  const int file = files_.open(directory_, file_name(slot), flags);
  if (file == -ENOENT) return Status::ok;
  if (file == -ELOOP) {
    why_ = quoted(path(slot)) + " is a symbolic link; a checkpoint is a file, and is replaced as one";
    return Status::store_failed;
  }
  if (file < 0) return fail("open", path(slot), -file);
  slots_[slot] = {.file = file, .unsynced = true};
  return check(file, path(slot));
}

/// That it is a file; takes its size for that of all slots, if it is the largest.
Status FileStore::check(int file, const std::string& path) {
  const std::int64_t size = files_.size(file);
  if (size == -EISDIR || size == -EINVAL) {
    why_ = quoted(path) + " is not a file; a checkpoint is one";
    return Status::store_failed;
  }
  if (size < 0) return fail("read", path, static_cast<int>(-size));
  size_ = std::max(size_, static_cast<std::uint64_t>(size));
  return Status::ok;
}

Status FileStore::read(unsigned slot, std::size_t offset, std::span<std::byte> into) noexcept {
  Slot& from = slots_[slot];
  while (from.file >= 0 && !into.empty()) {
    const std::int64_t count = files_.read(from.file, offset, into);
    if (count == 0) break;
    if (count < 0) return give_up_reading(slot, static_cast<int>(-count), into);
    offset += static_cast<std::size_t>(count);
    into = into.subspan(static_cast<std::size_t>(count));
  }
  std::ranges::fill(into, std::byte{0});  // behind the end, or without a file
  from.unreadable = false;
  return Status::ok;
}

/// Bytes that the disk has lost are for the checksums to find, so that the other slot is loaded. If that cannot be read
/// either, it is the disk that does not answer: nobody may take this for a slot whose contents are lost.
Status FileStore::give_up_reading(unsigned slot, int error, std::span<std::byte> into) {
  const Slot& other = slots_[1 - slot];
  slots_[slot].unreadable = true;
  if (!is_given_up(error) || other.file < 0 || other.unreadable) return fail("read", path(slot), error);
  std::ranges::fill(into, std::byte{0});
  return Status::ok;
}

Status FileStore::write(unsigned slot, std::size_t offset, std::span<const std::byte> page) noexcept {
  if (read_only_) return fail("write", path(slot), EROFS);
  if (slots_[slot].file < 0) {  // new, and as good as erased
    if (const Status status = erase(slot); status != Status::ok) return status;
  }
  Slot& to = slots_[slot];
  to.unsynced = true;
  while (!page.empty()) {
    const std::int64_t count = files_.write(to.file, offset, page);
    if (count <= 0) return fail("write", path(slot), count < 0 ? static_cast<int>(-count) : EIO);
    offset += static_cast<std::size_t>(count);
    page = page.subspan(static_cast<std::size_t>(count));
  }
  return Status::ok;
}

Status FileStore::erase(unsigned slot) noexcept {
  if (read_only_) return fail("write", path(slot), EROFS);
  return replace(slot, false);
}

/// A new file in the slot's place, durable: of zeros, or of what the slot reads as.
Status FileStore::replace(unsigned slot, bool copy) {
  const std::string name = new_name(slot);
  static_cast<void>(files_.remove(directory_, name));
  const int file = files_.open(directory_, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (file < 0) return fail("create", (named_ / name).string(), -file);
  Status status = fill(file, slot, copy);
  if (status == Status::ok) {
    const int renamed = files_.rename(directory_, name, file_name(slot));
    if (renamed < 0) status = fail("replace", path(slot), -renamed);
  }
  if (status != Status::ok) {
    files_.close(file);
    static_cast<void>(files_.remove(directory_, name));
    return status;
  }
  if (slots_[slot].file >= 0) files_.close(slots_[slot].file);
  slots_[slot] = {.file = file};
  names_unsynced_ = true;
  return sync_names();
}

Status FileStore::fill(int file, unsigned slot, bool copy) {
  const std::string path = this->path(slot);
  if (reserve_ > 0) {
    if (const int result = files_.allocate(file, reserve_); result < 0) return fail("write", path, -result);
  }
  std::array<std::byte, kPage> page{};
  for (std::uint64_t offset = 0; copy && offset < size_; offset += page.size()) {
    if (const Status status = read(slot, static_cast<std::size_t>(offset), page); status != Status::ok)
      return status;
    const std::int64_t count = files_.write(file, offset, page);
    if (count != std::ssize(page)) return fail("write", path, count < 0 ? static_cast<int>(-count) : ENOSPC);
  }
  const int synced = files_.sync(file);
  return synced < 0 ? fail("write", path, -synced) : Status::ok;
}

Status FileStore::sync() noexcept {
  if (read_only_) return directory_ < 0 && slots_[0].file < 0 ? Status::store_failed : Status::ok;
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    if (const Status status = sync_slot(slot); status != Status::ok) return status;
  }
  return sync_names();
}

/// Linux reports once that it could not write a page, and then takes the page for written. After that only a new file,
/// written anew, is known to be durable.
Status FileStore::sync_slot(unsigned slot) {
  Slot& of = slots_[slot];
  if (of.undurable) return replace(slot, true);
  if (!of.unsynced) return Status::ok;
  const int synced = files_.sync_data(of.file);
  of.unsynced = synced < 0;
  of.undurable = synced < 0;
  return synced < 0 ? fail("write", path(slot), -synced) : Status::ok;
}

Status FileStore::sync_names() {
  if (!names_unsynced_) return Status::ok;
  const int synced = files_.sync(directory_);
  // Some file systems have no such call for directories, and no need of it.
  if (synced < 0 && synced != -EINVAL) return fail("write", named_.string(), -synced);
  names_unsynced_ = false;
  return Status::ok;
}

}  // namespace popsgd::device
