// Checkpoints that are made in memory, and reach the disk later.
#include "agent/staged_store.h"
#include "faulty_store.h"
#include "memory_store.h"

#include <popsgd/checkpoint.h>

#include <array>
#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using command::StagedStore;
using popsgd::test::FaultyStore;
using popsgd::test::MemoryStore;

constexpr std::uint32_t kParameters = 200;

std::vector<float> model(float value) {
  return std::vector<float>(kParameters, value);
}

Status save(Store& store, float value) {
  const std::vector<float> x = model(value);
  return checkpoint::save(store, {.fingerprint = 1, .parameters = x});
}

// What a program finds that starts anew; 0: no checkpoint.
float found(MemoryStore& store) {
  store.restart_program();
  std::vector<float> x = model(0);
  const auto loaded = checkpoint::load(store, 1, x, {});
  if (loaded.status() == Status::no_checkpoint) return 0;
  REQUIRE(loaded.ok());
  CHECK(x == model(x[0]));
  return x[0];
}

MemoryStore disk() {
  return MemoryStore(checkpoint::slot_size(kParameters, 0));
}

TEST_CASE("a checkpoint is seen at once, and on the disk after flush()") {
  MemoryStore beneath = disk();
  StagedStore staged(beneath);
  REQUIRE(staged.load() == Status::ok);
  for (const float value : {1.0F, 2.0F, 3.0F}) {
    REQUIRE(save(staged, value) == Status::ok);
    CHECK(found(beneath) == value - 1);
    std::vector<float> x = model(0);
    REQUIRE(checkpoint::load(staged, 1, x, {}).ok());
    CHECK(x == model(value));
    REQUIRE(staged.flush() == Status::ok);
    CHECK(found(beneath) == value);
  }
}

TEST_CASE("power that goes at any moment of flush() leaves the last checkpoint or the new one, entire") {
  for (const bool carried_out : {false, true}) {
    std::size_t k = 0;
    for (bool cut = true; cut; ++k) {
      MemoryStore beneath = disk();
      REQUIRE(save(beneath, 1) == Status::ok);
      FaultyStore faulty(beneath);
      faulty.cut_at(k, carried_out);
      StagedStore staged(faulty);
      REQUIRE(staged.load() == Status::ok);
      REQUIRE(save(staged, 2) == Status::ok);
      cut = staged.flush() != Status::ok;
      const float left = found(beneath);
      CHECK((left == 2 || (cut && left == 1)));
    }
    CHECK(k > 5);
  }
}

TEST_CASE("a disk that fails at any call is tried again, and nothing is written over what was not seen") {
  std::size_t k = 2;  // the first two are load()'s
  for (;; ++k) {
    MemoryStore beneath = disk();
    REQUIRE(save(beneath, 1) == Status::ok);
    FaultyStore faulty(beneath);
    faulty.fail_at(k);
    StagedStore staged(faulty);
    REQUIRE(staged.load() == Status::ok);
    REQUIRE(save(staged, 2) == Status::ok);
    const bool failed = staged.flush() != Status::ok;
    const float left = found(beneath);
    CHECK((left == 2 || (failed && left == 1)));
    if (!failed) break;
    REQUIRE(save(staged, 3) == Status::ok);
    REQUIRE(staged.flush() == Status::ok);
    CHECK(found(beneath) == 3);
  }
  CHECK(k > 7);
}

TEST_CASE("a stage that could not read what is there takes nothing until it can") {
  MemoryStore beneath = disk();
  REQUIRE(save(beneath, 1) == Status::ok);
  FaultyStore faulty(beneath);
  faulty.fail_at(1);
  StagedStore staged(faulty);
  CHECK(staged.load() == Status::store_failed);
  CHECK(save(staged, 2) == Status::store_failed);
  CHECK(staged.flush() == Status::ok);
  CHECK(save(staged, 2) == Status::ok);
  CHECK(staged.flush() == Status::ok);
  CHECK(found(beneath) == 2);
}

}  // namespace
