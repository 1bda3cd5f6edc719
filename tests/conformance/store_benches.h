// The stores that must do what popsgd/store.h says, each on a bench: made anew, and started again.
//
// A port adds its own here: a class with open(), which gives the store as the program finds it when it starts, at first and
// every time after, and kSector, which its slots are a multiple of.
#pragma once

#include "board/flash_store.h"
#include "memory_store.h"

#include <popsgd/store.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#if __has_include("device/file_store.h")  // the build has platforms/linux
#include "device/file_store.h"
#include "scratch_directory.h"
#endif

namespace popsgd::test {

/// The test's own store, which tests of the SDK lean on: it must be held to the same.
class MemoryBench {
 public:
  static constexpr std::size_t kSector = 1;
  explicit MemoryBench(std::size_t slot_size) : store_(slot_size) {}
  Store& open() {
    store_.restart_program();
    return store_;
  }

 private:
  MemoryStore store_;
};

/// platforms/template: two regions of flash.
class TemplateBench {
 public:
  static constexpr std::size_t kSector = board::FlashStore::kSector;
  explicit TemplateBench(std::size_t slot_size) {
    for (auto& region : regions_) region.assign(slot_size, std::byte{0xFF});
  }
  Store& open() { return store_.emplace(regions_[0], regions_[1]); }

 private:
  std::array<std::vector<std::byte>, Store::kSlots> regions_;
  std::optional<board::FlashStore> store_;
};

#if __has_include("device/file_store.h")
/// platforms/linux: two files.
class FileBench {
 public:
  static constexpr std::size_t kSector = 1;
  explicit FileBench(std::size_t slot_size) : slot_size_(slot_size) {}
  Store& open() {
    store_.emplace();
    const Status status = store_->open(directory_.path() / "state", slot_size_);
    INFO(store_->why());
    REQUIRE(status == Status::ok);
    return *store_;
  }

 private:
  ScratchDirectory directory_;
  std::size_t slot_size_;
  std::optional<device::FileStore> store_;
};
#define POPSGD_STORE_BENCHES popsgd::test::MemoryBench, popsgd::test::TemplateBench, popsgd::test::FileBench
#else
#define POPSGD_STORE_BENCHES popsgd::test::MemoryBench, popsgd::test::TemplateBench
#endif

}  // namespace popsgd::test
