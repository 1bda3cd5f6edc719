// What every store must do: popsgd/store.h, sentence by sentence, and what checkpoints make of it.
#include "faulty_store.h"
#include "store_benches.h"

#include <popsgd/checkpoint.h>
#include <popsgd/random.h>
#include <popsgd/store.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Purpose;
using popsgd::Random;
using popsgd::Status;
using popsgd::StepCounter;
using popsgd::Store;
using popsgd::test::FaultyStore;
namespace checkpoint = popsgd::checkpoint;

using Bytes = std::vector<std::byte>;
constexpr std::size_t kPage = Store::kPage;

/// Slots of at least so many bytes, as the store can have them.
template <typename Bench>
std::size_t slots_of(std::size_t bytes) {
  return (bytes + Bench::kSector - 1) / Bench::kSector * Bench::kSector;
}

/// Bytes that look like nothing: not blank, no two pages alike.
Bytes noise(std::size_t size, std::uint32_t index) {
  Random random(11, Purpose::user, index);
  Bytes bytes(size);
  for (auto& b : bytes) b = static_cast<std::byte>(random.below(256));
  return bytes;
}

Bytes read(Store& store, unsigned slot, std::size_t offset, std::size_t size) {
  Bytes bytes(size, std::byte{0x5A});
  REQUIRE(store.read(slot, offset, bytes) == Status::ok);
  return bytes;
}

Bytes whole(Store& store, unsigned slot) {
  return read(store, slot, 0, store.slot_size());
}

bool is_blank(const Bytes& bytes) {
  const auto all = [&](std::byte value) { return std::ranges::count(bytes, value) == std::ssize(bytes); };
  return all(std::byte{0xFF}) || all(std::byte{0x00});
}

void write(Store& store, unsigned slot, std::size_t page, const Bytes& bytes) {
  REQUIRE(store.write(slot, page * kPage, bytes) == Status::ok);
}

/// Erases the slot and fills its whole pages; what it then reads as, without the remainder.
Bytes fill(Store& store, unsigned slot, std::uint32_t index) {
  const Bytes bytes = noise(store.slot_size() / kPage * kPage, index);
  REQUIRE(store.erase(slot) == Status::ok);
  for (std::size_t page = 0; page < bytes.size() / kPage; ++page) {
    const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(page * kPage);
    write(store, slot, page, Bytes(from, from + kPage));
  }
  return bytes;
}

TEST_CASE_TEMPLATE("both slots have the size that was asked for, always", Bench, POPSGD_STORE_BENCHES) {
  const std::size_t size = slots_of<Bench>(5 * kPage);
  Bench bench(size);
  Store& store = bench.open();
  CHECK(store.slot_size() == size);
  fill(store, 0, 1);
  fill(store, 1, 2);
  REQUIRE(store.sync() == Status::ok);
  CHECK(store.slot_size() == size);
  CHECK(bench.open().slot_size() == size);
}

TEST_CASE_TEMPLATE("a new store is blank", Bench, POPSGD_STORE_BENCHES) {
  Bench bench(slots_of<Bench>(3 * kPage));
  Store& store = bench.open();
  for (const unsigned slot : {0U, 1U}) CHECK(is_blank(whole(store, slot)));
}

TEST_CASE_TEMPLATE("a new store may be written to as if it had been erased", Bench, POPSGD_STORE_BENCHES) {
  Bench bench(slots_of<Bench>(3 * kPage));
  Store& store = bench.open();
  const Bytes page = noise(kPage, 1);
  write(store, 1, 2, page);
  CHECK(read(store, 1, 2 * kPage, kPage) == page);
  CHECK(is_blank(read(store, 1, 0, 2 * kPage)));
}

TEST_CASE_TEMPLATE("any offset and any length can be read", Bench, POPSGD_STORE_BENCHES) {
  Bench bench(slots_of<Bench>(4 * kPage));
  Store& store = bench.open();
  const Bytes bytes = fill(store, 1, 1);
  const std::size_t size = bytes.size();
  for (const std::size_t offset :
       {std::size_t{0}, std::size_t{1}, kPage - 1, kPage, 2 * kPage + 7, size - 1, size}) {
    for (const std::size_t length :
         {std::size_t{0}, std::size_t{1}, std::size_t{3}, kPage, kPage + 1, size - offset}) {
      if (length > size - offset) continue;
      CAPTURE(offset);
      CAPTURE(length);
      const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
      CHECK(read(store, 1, offset, length) == Bytes(from, from + static_cast<std::ptrdiff_t>(length)));
    }
  }
}

TEST_CASE_TEMPLATE("pages are written in any order, shown at once, and leave all else as it was", Bench,
                   POPSGD_STORE_BENCHES) {
  Bench bench(slots_of<Bench>(4 * kPage));
  Store& store = bench.open();
  const Bytes other = fill(store, 0, 1);
  REQUIRE(store.erase(1) == Status::ok);
  std::set<std::size_t> written;
  for (const std::size_t page : {2U, 0U, 3U, 1U}) {
    write(store, 1, page, noise(kPage, static_cast<std::uint32_t>(page)));
    written.insert(page);
    for (std::size_t k = 0; k < 4; ++k) {
      const Bytes found = read(store, 1, k * kPage, kPage);
      CHECK((written.contains(k) ? found == noise(kPage, static_cast<std::uint32_t>(k)) : is_blank(found)));
    }
  }
  CHECK(read(store, 0, 0, other.size()) == other);
}

TEST_CASE_TEMPLATE("every value of a byte can be written, and is not taken for blank", Bench,
                   POPSGD_STORE_BENCHES) {
  Bench bench(slots_of<Bench>(3 * kPage));
  Store& store = bench.open();
  Bytes all(kPage);
  for (std::size_t k = 0; k < kPage; ++k) all[k] = static_cast<std::byte>(k);
  const Bytes ones(kPage, std::byte{0xFF});
  const Bytes zeros(kPage, std::byte{0x00});
  REQUIRE(store.erase(0) == Status::ok);
  write(store, 0, 0, all);
  write(store, 0, 1, ones);
  write(store, 0, 2, zeros);
  CHECK(read(store, 0, 0, kPage) == all);
  CHECK(read(store, 0, kPage, kPage) == ones);
  CHECK(read(store, 0, 2 * kPage, kPage) == zeros);
}

TEST_CASE_TEMPLATE("an erased slot is blank and can be written again; the other is as it was", Bench,
                   POPSGD_STORE_BENCHES) {
  Bench bench(slots_of<Bench>(3 * kPage));
  Store& store = bench.open();
  for (std::uint32_t round = 0; round < 6; ++round) {
    const unsigned slot = round % 2;
    const Bytes mine = fill(store, slot, round);
    const Bytes other = whole(store, 1 - slot);
    REQUIRE(store.erase(slot) == Status::ok);
    CHECK(is_blank(whole(store, slot)));
    REQUIRE(store.erase(slot) == Status::ok);  // twice does no harm
    CHECK(is_blank(whole(store, slot)));
    CHECK(whole(store, 1 - slot) == other);
    const Bytes again = fill(store, slot, 100 + round);
    CHECK(again != mine);
    CHECK(read(store, slot, 0, again.size()) == again);
  }
}

TEST_CASE_TEMPLATE("a slot need not be whole pages", Bench, POPSGD_STORE_BENCHES) {
  Bench bench(slots_of<Bench>(2 * kPage + 100));
  Store& store = bench.open();
  const Bytes bytes = fill(store, 0, 1);
  CHECK(store.slot_size() >= 2 * kPage + 100);
  CHECK(read(store, 0, 0, bytes.size()) == bytes);
  static_cast<void>(whole(store, 0));
}

TEST_CASE_TEMPLATE("what was synced is there when the program starts again", Bench, POPSGD_STORE_BENCHES) {
  Bench bench(slots_of<Bench>(4 * kPage));
  std::array<Bytes, 2> bytes{};
  {
    Store& store = bench.open();
    for (const unsigned slot : {0U, 1U}) bytes[slot] = fill(store, slot, slot);
    REQUIRE(store.sync() == Status::ok);
    REQUIRE(store.sync() == Status::ok);  // with nothing to do
  }
  for (int start = 0; start < 3; ++start) {
    Store& store = bench.open();
    for (const unsigned slot : {0U, 1U}) CHECK(read(store, slot, 0, bytes[slot].size()) == bytes[slot]);
  }
}

// --- and checkpoints on top of it

constexpr std::uint64_t kFingerprint = 0x1122334455667788;
constexpr std::uint32_t kParameters = 150;
constexpr std::uint32_t kRecords = 37;

struct State {
  std::vector<float> parameters;
  StepCounter steps;
  Bytes records;
  friend bool operator==(const State&, const State&) = default;
};

State make_state(std::uint32_t index) {
  Random random(7, Purpose::user, index);
  State state{.parameters = std::vector<float>(kParameters),
              .steps = StepCounter::from_bits(random.bits64()),
              .records = noise(kRecords, index)};
  for (float& x : state.parameters) x = random.uniform();
  return state;
}

template <typename Bench>
std::size_t slots_of_states() {
  return slots_of<Bench>(static_cast<std::size_t>(checkpoint::slot_size(kParameters, kRecords)));
}

Status save(Store& store, const State& state) {
  return checkpoint::save(store, {.fingerprint = kFingerprint,
                                  .parameters = state.parameters,
                                  .steps = state.steps,
                                  .records = state.records});
}

struct Found {
  Status status;
  State state;
};

Found load(Store& store) {
  State state{.parameters = std::vector<float>(kParameters), .steps = {}, .records = Bytes(kRecords)};
  const auto result = checkpoint::load(store, kFingerprint, state.parameters, state.records);
  if (result.ok()) state.steps = result->steps;
  return {result.status(), state};
}

bool loads(Store& store, const State& expected) {
  const Found found = load(store);
  return found.status == Status::ok && found.state == expected;
}

TEST_CASE_TEMPLATE("checkpoints follow one another, each found when the program starts again", Bench,
                   POPSGD_STORE_BENCHES) {
  Bench bench(slots_of_states<Bench>());
  CHECK(load(bench.open()).status == Status::no_checkpoint);
  for (std::uint32_t k = 0; k < 7; ++k) {
    REQUIRE(save(bench.open(), make_state(k)) == Status::ok);
    CHECK(loads(bench.open(), make_state(k)));
  }
}

/// Writes, erases and syncs of one save, and all calls.
template <typename Bench>
FaultyStore a_save() {
  Bench bench(slots_of_states<Bench>());
  FaultyStore store(bench.open());
  REQUIRE(save(store, make_state(0)) == Status::ok);
  return store;
}

TEST_CASE_TEMPLATE("ended at every write, erase and sync of a save: the last state or the new one, entire",
                   Bench, POPSGD_STORE_BENCHES) {
  const std::size_t changes = a_save<Bench>().changes();
  std::set<std::size_t> is_new;
  for (std::uint32_t saved = 0; saved <= 2; ++saved) {
    for (std::size_t cut = 0; cut < changes; ++cut) {
      for (const bool carried_out : {false, true}) {
        CAPTURE(saved);
        CAPTURE(cut);
        CAPTURE(carried_out);
        Bench bench(slots_of_states<Bench>());
        for (std::uint32_t k = 1; k <= saved; ++k) REQUIRE(save(bench.open(), make_state(k)) == Status::ok);
        FaultyStore store(bench.open());
        store.cut_at(cut, carried_out);
        REQUIRE(save(store, make_state(saved + 1)) == Status::store_failed);

        Store& again = bench.open();
        const Found found = load(again);
        if (found.status == Status::ok && found.state == make_state(saved + 1)) {
          is_new.insert(2 * cut + (carried_out ? 1 : 0));
        } else if (saved > 0) {
          REQUIRE(found.status == Status::ok);
          REQUIRE(found.state == make_state(saved));
        } else {
          REQUIRE((found.status == Status::no_checkpoint || found.status == Status::checkpoint_damaged));
        }
        REQUIRE(save(again, make_state(9)) == Status::ok);
        REQUIRE(loads(bench.open(), make_state(9)));
      }
    }
  }
  // From the header's write on, which is the last but one.
  CHECK(is_new == std::set<std::size_t>{2 * changes - 3, 2 * changes - 2, 2 * changes - 1});
}

TEST_CASE_TEMPLATE("a medium that fails once fails the save, and is saved to again", Bench,
                   POPSGD_STORE_BENCHES) {
  for (std::size_t k = 0; k < a_save<Bench>().calls(); ++k) {
    CAPTURE(k);
    Bench bench(slots_of_states<Bench>());
    REQUIRE(save(bench.open(), make_state(1)) == Status::ok);
    FaultyStore store(bench.open());
    store.fail_at(k);
    REQUIRE(save(store, make_state(2)) == Status::store_failed);
    const Found found = load(store);
    REQUIRE(found.status == Status::ok);
    REQUIRE((found.state == make_state(1) || found.state == make_state(2)));
    REQUIRE(save(store, make_state(3)) == Status::ok);
    REQUIRE(loads(bench.open(), make_state(3)));
  }
}

}  // namespace
