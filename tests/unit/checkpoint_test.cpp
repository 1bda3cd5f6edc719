#include "checkpoint/header.h"
#include "memory_store.h"
#include "slow_crc.h"

#include <popsgd/checkpoint.h>
#include <popsgd/random.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Purpose;
using popsgd::Random;
using popsgd::Status;
using popsgd::StepCounter;
using popsgd::Store;
using popsgd::test::MemoryStore;
using popsgd::test::slow_crc;
namespace checkpoint = popsgd::checkpoint;

constexpr std::uint64_t kFingerprint = 0x1122334455667788;

/// All that a checkpoint holds, parameters as bits so that NaN compares.
struct State {
  std::vector<std::uint32_t> parameters;
  StepCounter steps;
  std::vector<std::byte> records;

  friend bool operator==(const State&, const State&) = default;
};

struct Size {
  std::uint32_t parameters;
  std::uint32_t records;
};
constexpr Size kSmall{5, 3};      // a header and one page
constexpr Size kMedium{150, 37};  // a header and three pages

State make_state(std::uint32_t index, Size size) {
  Random random(7, Purpose::user, index);
  State state{.parameters = std::vector<std::uint32_t>(size.parameters),
              .steps = StepCounter::from_bits(random.bits64()),
              .records = std::vector<std::byte>(size.records)};
  for (auto& x : state.parameters) x = random.bits();
  for (auto& b : state.records) b = static_cast<std::byte>(random.below(256));
  return state;
}

MemoryStore make_store(Size size, std::byte blank = std::byte{0xFF}) {
  return MemoryStore(static_cast<std::size_t>(checkpoint::slot_size(size.parameters, size.records)), blank);
}

Status save(Store& store, const State& state, std::uint64_t fingerprint = kFingerprint) {
  std::vector<float> parameters;
  for (const auto x : state.parameters) parameters.push_back(std::bit_cast<float>(x));
  return checkpoint::save(
      store,
      {.fingerprint = fingerprint, .parameters = parameters, .steps = state.steps, .records = state.records});
}

constexpr std::uint32_t kUntouchedParameter = 0xDEADBEEF;
constexpr std::byte kUntouchedRecord{0xA5};

struct Outcome {
  Status status = Status::ok;
  State state{};
  std::uint64_t sequence = 0;
  bool untouched = true;  ///< load() wrote nothing into our memory
};

Outcome load(Store& store, Size size, std::uint64_t fingerprint = kFingerprint) {
  std::vector<float> parameters(size.parameters, std::bit_cast<float>(kUntouchedParameter));
  std::vector<std::byte> records(size.records, kUntouchedRecord);
  const auto result = checkpoint::load(store, fingerprint, parameters, records);
  Outcome outcome{.status = result.status()};
  for (const float x : parameters) {
    outcome.state.parameters.push_back(std::bit_cast<std::uint32_t>(x));
    outcome.untouched = outcome.untouched && outcome.state.parameters.back() == kUntouchedParameter;
  }
  for (const auto b : records) outcome.untouched = outcome.untouched && b == kUntouchedRecord;
  if (result.ok()) {
    records.resize(result->records);
    outcome.state.records = records;
    outcome.state.steps = result->steps;
    outcome.sequence = result->sequence;
  }
  return outcome;
}

/// The state, if load() gave one; and it gives nothing half.
bool loads(Store& store, Size size, const State& expected) {
  const Outcome outcome = load(store, size);
  return outcome.status == Status::ok && outcome.state == expected;
}

/// Writes, erases and syncs of one save.
std::size_t changes_of_a_save(Size size) {
  MemoryStore store = make_store(size);
  REQUIRE(save(store, make_state(0, size)) == Status::ok);
  return store.changes();
}

TEST_CASE("a blank store has no checkpoint, whichever way it is blank") {
  for (const auto blank : {std::byte{0x00}, std::byte{0xFF}}) {
    MemoryStore store = make_store(kSmall, blank);
    const Outcome outcome = load(store, kSmall);
    CHECK(outcome.status == Status::no_checkpoint);
    CHECK(outcome.untouched);
  }
}

TEST_CASE("what was saved is loaded, bit for bit, at every size around a page's end") {
  for (const std::uint32_t parameters : {0U, 1U, 61U, 62U, 63U, 64U, 65U, 200U}) {
    for (const std::uint32_t records : {0U, 1U, 7U, 8U, 255U, 256U, 257U}) {
      CAPTURE(parameters);
      CAPTURE(records);
      const Size size{parameters, records};
      MemoryStore store = make_store(size);
      const State state = make_state(1, size);
      REQUIRE(save(store, state) == Status::ok);
      REQUIRE(loads(store, size, state));
      REQUIRE(store.violations() == 0);
    }
  }
}

TEST_CASE("not-a-number, infinities and negative zero are kept as they are") {
  MemoryStore store = make_store(kSmall);
  State state = make_state(1, kSmall);
  state.parameters = {0x7FC00001, 0x7F800001, 0x7F800000, 0xFF800000, 0x80000000};
  REQUIRE(save(store, state) == Status::ok);
  CHECK(loads(store, kSmall, state));
}

TEST_CASE("the bytes in the store are those of the table in sdk/README.md") {
  MemoryStore store = make_store({1, 1});
  const std::array<float, 1> parameters{1.0F};
  const std::array<std::byte, 1> records{std::byte{0xAB}};
  REQUIRE(checkpoint::save(store, {kFingerprint, parameters, StepCounter(3), records}) == Status::ok);
  const std::vector<int> payload{0x00, 0x00, 0x80, 0x3F, 0, 0, 3, 0, 0, 0, 0, 0, 0xAB};
  const std::vector<int> header{'P', 'o', 'p', 'S', 'G',  'D',  '\r', '\n', 1,    0,    44,   0,
                                1,   0,   0,   0,   0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
                                1,   0,   0,   0,   0,    0,    0,    0,    1,    0,    0,    0};
  const auto slot = store.slot(0);
  const auto word = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t k = 4; k-- > 0;) value = value << 8 | std::to_integer<std::uint32_t>(slot[at + k]);
    return value;
  };
  REQUIRE(slot.size() == 512);
  for (std::size_t k = 0; k < header.size(); ++k) CHECK(std::to_integer<int>(slot[k]) == header[k]);
  CHECK(word(36) == slow_crc(slot.subspan(256, payload.size())));
  CHECK(word(40) == slow_crc(slot.first(40)));
  for (std::size_t k = 0; k < payload.size(); ++k) CHECK(std::to_integer<int>(slot[256 + k]) == payload[k]);
}

TEST_CASE("checkpoints alternate between the slots, and the newer is loaded") {
  MemoryStore store = make_store(kSmall);
  std::vector<std::byte> before;
  for (std::uint32_t k = 1; k <= 6; ++k) {
    const unsigned slot = (k + 1) % 2;
    before.assign(store.slot(1 - slot).begin(), store.slot(1 - slot).end());
    const State state = make_state(k, kSmall);
    REQUIRE(save(store, state) == Status::ok);
    const Outcome outcome = load(store, kSmall);
    CHECK(outcome.status == Status::ok);
    CHECK(outcome.state == state);
    CHECK(outcome.sequence == k);
    CHECK(std::equal(before.begin(), before.end(), store.slot(1 - slot).begin()));
  }
  CHECK(store.violations() == 0);
}

TEST_CASE("models of other sizes may follow each other in one store") {
  MemoryStore store = make_store(kMedium);
  for (std::uint32_t k = 0; k < 4; ++k) {
    const Size size = k % 2 == 0 ? kSmall : kMedium;
    const State state = make_state(k, size);
    REQUIRE(save(store, state) == Status::ok);
    CHECK(loads(store, size, state));
  }
}

/// Saves `state` and makes its sequence number another.
void save_as_number(MemoryStore& store, unsigned slot, const State& state, std::uint64_t sequence) {
  REQUIRE(save(store, state) == Status::ok);
  checkpoint::Header header;
  const auto bytes = header.bytes();
  std::copy_n(store.slot(slot).begin(), bytes.size(), bytes.begin());
  REQUIRE(checkpoint::condition_of(header) == checkpoint::Condition::entire);
  header.sequence = sequence;
  checkpoint::seal(header);
  std::ranges::copy(bytes, store.slot(slot).begin());
}

TEST_CASE("after the last sequence number comes the first, and is the newer") {
  MemoryStore store = make_store(kSmall);
  save_as_number(store, 0, make_state(0, kSmall), std::numeric_limits<std::uint64_t>::max() - 1);
  for (std::uint32_t k = 1; k <= 5; ++k) {
    const State state = make_state(k, kSmall);
    REQUIRE(save(store, state) == Status::ok);
    const Outcome outcome = load(store, kSmall);
    CHECK(outcome.status == Status::ok);
    CHECK(outcome.state == state);
    CHECK(outcome.sequence == std::uint64_t{k} - 2);
  }
}

TEST_CASE("a new checkpoint is newer than the one it stands beside, whatever number the damaged one had") {
  MemoryStore store = make_store(kSmall);
  REQUIRE(save(store, make_state(0, kSmall)) == Status::ok);
  constexpr std::uint64_t kHalfway = std::numeric_limits<std::uint64_t>::max() / 2;
  save_as_number(store, 1, make_state(1, kSmall), 1 + kHalfway);
  store.flip_bit(1, 8 * Store::kPage);
  REQUIRE(save(store, make_state(2, kSmall)) == Status::ok);
  CHECK(loads(store, kSmall, make_state(2, kSmall)));
}

TEST_CASE(
    "a slot's end, payload and header are each durable before the next: no state rests on a checksum alone") {
  MemoryStore store = make_store(kMedium);
  REQUIRE(save(store, make_state(1, kMedium)) == Status::ok);
  CHECK(store.log() == "sespppshs");
}

TEST_CASE("power cut in any write of a save leaves the old state or the new, and the next save works") {
  constexpr std::uint32_t kSeeds = 8;
  const std::size_t changes = changes_of_a_save(kMedium);
  const State third = make_state(9, kMedium);
  std::set<std::size_t> seen;
  for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
    for (std::uint32_t saved = 1; saved <= 2; ++saved) {
      for (std::size_t cut = 0; cut < changes; ++cut) {
        for (const std::size_t torn : {0U, 1U, 43U, 44U, 128U, 255U, 256U, 300U, 700U, 9999U}) {
          CAPTURE(seed);
          CAPTURE(saved);
          CAPTURE(cut);
          CAPTURE(torn);
          Random random(seed, Purpose::user);
          MemoryStore store = make_store(kMedium, seed % 2 == 0 ? std::byte{0xFF} : std::byte{0x00});
          for (std::uint32_t k = 1; k <= saved; ++k) {
            REQUIRE(save(store, make_state(k, kMedium)) == Status::ok);
          }
          store.cut_at(cut, torn);
          REQUIRE(save(store, make_state(saved + 1, kMedium)) == Status::store_failed);
          store.restart_power(random);

          const Outcome outcome = load(store, kMedium);
          REQUIRE(outcome.status == Status::ok);
          const bool is_new = outcome.state == make_state(saved + 1, kMedium);
          REQUIRE((is_new || outcome.state == make_state(saved, kMedium)));
          if (is_new) seen.insert(cut);
          REQUIRE(save(store, third) == Status::ok);
          REQUIRE(loads(store, kMedium, third));
          REQUIRE(store.violations() == 0);
        }
      }
    }
  }
  CHECK(seen == std::set<std::size_t>{changes - 2, changes - 1});  // new from the header on, and not before
}

TEST_CASE("power cut in the first save leaves nothing or the new state, and the next save works") {
  constexpr std::uint32_t kSeeds = 16;
  const State state = make_state(1, kMedium);
  for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
    for (std::size_t cut = 0; cut < changes_of_a_save(kMedium); ++cut) {
      CAPTURE(seed);
      CAPTURE(cut);
      Random random(seed, Purpose::user);
      MemoryStore store = make_store(kMedium);
      store.cut_at(cut, random.below(257));
      REQUIRE(save(store, state) == Status::store_failed);
      store.restart_power(random);
      const Outcome outcome = load(store, kMedium);
      if (outcome.status == Status::ok) {
        REQUIRE(outcome.state == state);
      } else {  // a header torn in two is not blank any more
        REQUIRE((outcome.status == Status::no_checkpoint || outcome.status == Status::checkpoint_damaged));
        REQUIRE(outcome.untouched);
      }
      REQUIRE(save(store, state) == Status::ok);
      REQUIRE(loads(store, kMedium, state));
      REQUIRE(store.violations() == 0);
    }
  }
}

TEST_CASE("a header torn after any byte leaves the old state until it is entire") {
  const std::size_t header_write = changes_of_a_save(kSmall) - 2;
  for (std::size_t torn = 0; torn <= Store::kPage; ++torn) {
    CAPTURE(torn);
    MemoryStore store = make_store(kSmall);
    REQUIRE(save(store, make_state(1, kSmall)) == Status::ok);
    store.cut_at(header_write, torn);
    REQUIRE(save(store, make_state(2, kSmall)) == Status::store_failed);
    store.restart_program();
    REQUIRE(loads(store, kSmall, make_state(torn < checkpoint::kHeaderLength ? 1 : 2, kSmall)));
  }
}

TEST_CASE("a cut after the program ended in a save loses nothing that was loaded in between") {
  constexpr std::uint32_t kSeeds = 16;
  const std::size_t changes = changes_of_a_save(kSmall);
  const State third = make_state(9, kSmall);
  for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
    for (std::size_t end = 0; end < changes; ++end) {
      for (std::size_t cut = 0; cut < changes; ++cut) {
        CAPTURE(seed);
        CAPTURE(end);
        CAPTURE(cut);
        Random random(seed, Purpose::user);
        MemoryStore store = make_store(kSmall);
        REQUIRE(save(store, make_state(1, kSmall)) == Status::ok);
        store.cut_at(end, random.below(257));
        REQUIRE(save(store, make_state(2, kSmall)) == Status::store_failed);
        store.restart_program();
        const bool is_known = seed % 2 == 0;  // else it goes straight on to save
        const Outcome known = is_known ? load(store, kSmall) : Outcome{};
        REQUIRE(known.status == Status::ok);

        store.cut_at(cut, random.below(257));
        REQUIRE(save(store, third) == Status::store_failed);
        store.restart_power(random);
        const Outcome outcome = load(store, kSmall);
        REQUIRE(outcome.status == Status::ok);
        const bool is_earlier =
            is_known ? outcome.state == known.state
                     : outcome.state == make_state(1, kSmall) || outcome.state == make_state(2, kSmall);
        REQUIRE((is_earlier || outcome.state == third));
      }
    }
  }
}

/// Whether a checkpoint of kSmall depends on this bit of its slot.
bool matters(std::size_t bit) {
  constexpr std::size_t kPayload = std::size_t{4} * kSmall.parameters + 8 + kSmall.records;
  const std::size_t byte = bit / 8;
  return byte < checkpoint::kHeaderLength || (byte >= Store::kPage && byte < Store::kPage + kPayload);
}

TEST_CASE("any bit flipped in the newer slot gives the old state, in the older slot changes nothing") {
  MemoryStore store = make_store(kSmall);
  REQUIRE(save(store, make_state(1, kSmall)) == Status::ok);
  REQUIRE(save(store, make_state(2, kSmall)) == Status::ok);
  for (std::size_t bit = 0; bit < 8 * store.slot_size(); ++bit) {
    CAPTURE(bit);
    store.flip_bit(1, bit);
    REQUIRE(loads(store, kSmall, make_state(matters(bit) ? 1 : 2, kSmall)));
    store.flip_bit(1, bit);
    store.flip_bit(0, bit);
    REQUIRE(loads(store, kSmall, make_state(2, kSmall)));
    store.flip_bit(0, bit);
  }
}

TEST_CASE("any bit flipped in the only checkpoint is found out, and nothing of it is handed over") {
  MemoryStore store = make_store(kSmall);
  REQUIRE(save(store, make_state(1, kSmall)) == Status::ok);
  for (std::size_t bit = 0; bit < 8 * store.slot_size(); ++bit) {
    CAPTURE(bit);
    store.flip_bit(0, bit);
    const Outcome outcome = load(store, kSmall);
    REQUIRE(outcome.status == (matters(bit) ? Status::checkpoint_damaged : Status::ok));
    if (matters(bit)) REQUIRE(outcome.untouched);
    store.flip_bit(0, bit);
  }
}

TEST_CASE("a save replaces the damaged slot and leaves the entire one alone, whichever is newer") {
  constexpr std::size_t kPayloadBit = 8 * Store::kPage;
  for (const unsigned bad : {0U, 1U}) {
    for (const std::size_t bit : {std::size_t{0}, kPayloadBit}) {
      CAPTURE(bad);
      CAPTURE(bit);
      MemoryStore store = make_store(kSmall);
      REQUIRE(save(store, make_state(1, kSmall)) == Status::ok);
      REQUIRE(save(store, make_state(2, kSmall)) == Status::ok);
      store.flip_bit(bad, bit);
      const auto entire = store.slot(1 - bad);
      const std::vector<std::byte> before(entire.begin(), entire.end());
      REQUIRE(save(store, make_state(3, kSmall)) == Status::ok);
      CHECK(std::equal(before.begin(), before.end(), entire.begin()));
      CHECK(loads(store, kSmall, make_state(3, kSmall)));
    }
  }
}

TEST_CASE("two damaged slots are damaged, not blank, and a save mends them") {
  MemoryStore store = make_store(kSmall);
  REQUIRE(save(store, make_state(1, kSmall)) == Status::ok);
  REQUIRE(save(store, make_state(2, kSmall)) == Status::ok);
  store.flip_bit(0, 8 * Store::kPage);
  store.flip_bit(1, 8 * Store::kPage);
  const Outcome outcome = load(store, kSmall);
  CHECK(outcome.status == Status::checkpoint_damaged);
  CHECK(outcome.untouched);
  REQUIRE(save(store, make_state(3, kSmall)) == Status::ok);
  CHECK(loads(store, kSmall, make_state(3, kSmall)));
}

TEST_CASE("slots of random bytes are damaged") {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    Random random(seed, Purpose::user);
    MemoryStore store = make_store(kMedium);
    for (const unsigned slot : {0U, 1U}) {
      for (auto& b : store.slot(slot)) b = static_cast<std::byte>(random.below(256));
    }
    REQUIRE(load(store, kMedium).status == Status::checkpoint_damaged);
    REQUIRE(store.violations() == 0);
  }
}

TEST_CASE("a store cut short is damaged or too small, and is never read beyond its end") {
  MemoryStore whole = make_store(kMedium);
  REQUIRE(save(whole, make_state(1, kMedium)) == Status::ok);
  for (std::size_t size = 0; size < whole.slot_size(); ++size) {
    CAPTURE(size);
    MemoryStore store = whole;
    store.truncate(size);
    const Outcome outcome = load(store, kMedium);
    REQUIRE(outcome.status == (size < Store::kPage ? Status::store_too_small : Status::checkpoint_damaged));
    REQUIRE(outcome.untouched);
    REQUIRE(save(store, make_state(2, kMedium)) == Status::store_too_small);
    REQUIRE(store.violations() == 0);
  }
}

TEST_CASE("a header of the largest lengths is no reason to read beyond the slot") {
  MemoryStore store = make_store(kSmall);
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  checkpoint::Header header{.parameters = kMost, .fingerprint = kFingerprint, .records = kMost};
  checkpoint::seal(header);
  std::ranges::copy(header.bytes(), store.slot(0).begin());
  CHECK(load(store, kSmall).status == Status::checkpoint_damaged);
  CHECK(store.violations() == 0);
}

TEST_CASE("the checkpoint of another model or swarm is foreign, even if an older one is ours") {
  MemoryStore store = make_store(kSmall);
  REQUIRE(save(store, make_state(1, kSmall)) == Status::ok);
  REQUIRE(save(store, make_state(2, kSmall), kFingerprint + 1) == Status::ok);
  const Outcome outcome = load(store, kSmall);
  CHECK(outcome.status == Status::checkpoint_foreign);
  CHECK(outcome.untouched);
  CHECK(load(store, kSmall, kFingerprint + 1).state == make_state(2, kSmall));
}

TEST_CASE("a model of another length is refused; records that do not fit are left, the model is not") {
  MemoryStore store = make_store(kMedium);
  const State saved = make_state(1, kMedium);
  REQUIRE(save(store, saved) == Status::ok);
  for (const Size size : {Size{149, 37}, Size{151, 37}, Size{0, 37}}) {
    const Outcome outcome = load(store, size);
    CHECK(outcome.status == Status::checkpoint_length);
    CHECK(outcome.untouched);
  }
  for (const std::size_t room : {36U, 1U, 0U}) {
    std::vector<float> parameters(kMedium.parameters);
    std::vector<std::byte> records(room, kUntouchedRecord);
    const auto loaded = checkpoint::load(store, kFingerprint, parameters, records);
    REQUIRE(loaded.ok());
    CHECK(loaded->records == 37);
    CHECK(loaded->steps == saved.steps);
    for (const auto b : records) CHECK(b == kUntouchedRecord);
    for (std::size_t k = 0; k < parameters.size(); ++k)
      CHECK(std::bit_cast<std::uint32_t>(parameters[k]) == saved.parameters[k]);
  }
  CHECK(loads(store, {150, 100}, saved));
}

TEST_CASE(
    "a store that does not answer is reported, whichever operation it is; the old state or the new is kept") {
  MemoryStore saved = make_store(kMedium);
  REQUIRE(save(saved, make_state(1, kMedium)) == Status::ok);
  MemoryStore counted = saved;
  REQUIRE(save(counted, make_state(2, kMedium)) == Status::ok);
  const std::size_t operations = counted.operations() - saved.operations();
  for (std::size_t k = 0; k < operations; ++k) {
    CAPTURE(k);
    MemoryStore store = saved;
    store.fail_at(k);
    REQUIRE(save(store, make_state(2, kMedium)) == Status::store_failed);
    const bool is_new = loads(store, kMedium, make_state(2, kMedium));
    REQUIRE((is_new || loads(store, kMedium, make_state(1, kMedium))));
    REQUIRE(is_new == (k == operations - 1));
    REQUIRE(save(store, make_state(3, kMedium)) == Status::ok);
    REQUIRE(loads(store, kMedium, make_state(3, kMedium)));
    REQUIRE(store.violations() == 0);
  }
}

TEST_CASE("a load that cannot read says so, and before the second reading has written nothing") {
  MemoryStore store = make_store(kMedium);
  REQUIRE(save(store, make_state(1, kMedium)) == Status::ok);
  constexpr std::size_t kPages = 3;
  for (std::size_t k = 0; k < 1 + 2 + 2 * kPages; ++k) {
    CAPTURE(k);
    store.fail_at(k);
    const Outcome outcome = load(store, kMedium);
    REQUIRE(outcome.status == Status::store_failed);
    REQUIRE(outcome.untouched == (k < 1 + 2 + kPages + 1));
  }
  CHECK(loads(store, kMedium, make_state(1, kMedium)));
}

TEST_CASE(
    "a store that fails is reported also where a page ends with the parameters, the counter or the records") {
  for (const Size size : {Size{62, 256}, Size{62, 300}, Size{64, 0}, Size{64, 248}}) {
    MemoryStore saved = make_store(size);
    REQUIRE(save(saved, make_state(1, size)) == Status::ok);
    for (std::size_t k = 0; k < saved.operations(); ++k) {
      MemoryStore store = make_store(size);
      store.fail_at(k);
      REQUIRE(save(store, make_state(1, size)) == Status::store_failed);
    }
    for (std::size_t k = 0;; ++k) {
      MemoryStore store = saved;
      store.fail_at(k);
      const Outcome outcome = load(store, size);
      if (outcome.status == Status::ok) break;
      REQUIRE(outcome.status == Status::store_failed);
    }
    CHECK(loads(saved, size, make_state(1, size)));
  }
}

TEST_CASE("a checkpoint that changes while it is read is never taken for one that was saved") {
  MemoryStore saved = make_store(kMedium);
  REQUIRE(save(saved, make_state(1, kMedium)) == Status::ok);
  REQUIRE(save(saved, make_state(2, kMedium)) == Status::ok);
  std::size_t changed = 0;
  for (std::size_t read = 0; read < 8; ++read) {
    for (std::size_t byte = 0; byte < saved.slot_size(); byte += 5) {
      CAPTURE(read);
      CAPTURE(byte);
      MemoryStore store = saved;
      store.flip_at_read(read, 1, 8 * byte + read);
      const Outcome outcome = load(store, kMedium);
      if (outcome.status == Status::ok) {
        REQUIRE((outcome.state == make_state(1, kMedium) || outcome.state == make_state(2, kMedium)));
      } else {
        REQUIRE(outcome.status == Status::checkpoint_changed);
        ++changed;
      }
    }
  }
  CHECK(changed > 0);
}

TEST_CASE("of integers, too, every failure is reported, also where the zeros after them fill a page") {
  for (const std::size_t length : {1UL, 253UL, 255UL, 256UL, 257UL}) {
    CAPTURE(length);
    const std::vector<std::byte> integers(length, std::byte{0xC3});
    const checkpoint::Snapshot snapshot{
        .fingerprint = kFingerprint, .steps = StepCounter(7), .integers = integers};
    const auto words = checkpoint::words(length);
    MemoryStore saved = make_store({words, 0});
    REQUIRE(checkpoint::save(saved, snapshot) == Status::ok);
    for (std::size_t k = 0; k < saved.operations(); ++k) {
      MemoryStore store = make_store({words, 0});
      store.fail_at(k);
      REQUIRE(checkpoint::save(store, snapshot) == Status::store_failed);
    }
    std::vector<std::byte> loaded(length);
    REQUIRE(checkpoint::load(saved, kFingerprint, std::span(loaded), {}).ok());
    CHECK(loaded == integers);
  }
}

TEST_CASE("of two slots with one number the first is as good as the second") {
  MemoryStore store = make_store(kSmall);
  REQUIRE(save(store, make_state(1, kSmall)) == Status::ok);
  std::ranges::copy(store.slot(0), store.slot(1).begin());
  CHECK(loads(store, kSmall, make_state(1, kSmall)));
  REQUIRE(save(store, make_state(2, kSmall)) == Status::ok);
  CHECK(loads(store, kSmall, make_state(2, kSmall)));
}

#if SIZE_MAX > UINT32_MAX  // else no memory has so much
TEST_CASE("more than a header can count is refused before the store is touched") {
  constexpr std::size_t kTooLarge = std::size_t{1} << 34;
  const std::byte nothing{};  // nobody looks at what there is too much of
  MemoryStore store = make_store(kSmall);
  CHECK(checkpoint::save(store, {.integers = {&nothing, kTooLarge}}) == Status::invalid_size);
  CHECK(checkpoint::save(store, {.records = {&nothing, kTooLarge}}) == Status::invalid_size);
  CHECK(store.operations() == 0);
}
#endif

}  // namespace
