#include "memory_store.h"

#include <popsgd/checkpoint.h>
#include <popsgd/inspect.h>

#include <array>
#include <cstdint>
#include <set>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Status;
using popsgd::StepCounter;
using popsgd::Store;
using popsgd::checkpoint::Condition;
using popsgd::checkpoint::describe;
using popsgd::checkpoint::Description;
using popsgd::test::MemoryStore;
namespace checkpoint = popsgd::checkpoint;

constexpr std::uint64_t kFingerprint = 0x1122334455667788;
constexpr std::uint32_t kParameters = 70;

MemoryStore make_store(std::uint32_t records) {
  return MemoryStore(static_cast<std::size_t>(checkpoint::slot_size(kParameters, records)));
}

void save(Store& store, std::vector<std::byte> records = {}) {
  const std::vector<float> model(kParameters, 1.5F);
  REQUIRE(checkpoint::save(store, {kFingerprint, model, StepCounter(12), records}) == Status::ok);
}

Description described(Store& store, unsigned slot) {
  const auto found = describe(store, slot);
  REQUIRE(found.ok());
  return found.value();
}

/// The head of an agent's records, as sdk/README.md has it.
std::vector<std::byte> agent_records(int version = 2) {
  std::vector<std::byte> head(32);
  const auto put = [&](std::size_t at, int value) { head[at] = static_cast<std::byte>(value); };
  put(0, version);
  put(2, 16);  // places
  put(4, 3);   // gates
  put(8, 25);  // parameters to a gate
  put(14, 0x80);
  put(15, 0x3F);  // 1.0
  put(17, 1);     // 256 steps
  put(24, 1);     // fresh
  put(28, 4);     // estimates
  return head;
}

TEST_CASE("what a slot holds is told without knowing whose it is, and by reading only") {
  MemoryStore store = make_store(32);
  CHECK(described(store, 0).condition == Condition::blank);
  for (int k = 0; k < 3; ++k) save(store, agent_records());
  const std::size_t changes = store.changes();
  const std::array found{described(store, 0), described(store, 1)};
  CHECK(store.changes() == changes);
  for (const unsigned slot : {0U, 1U}) {
    CHECK(found[slot].condition == Condition::entire);
    CHECK(found[slot].fingerprint == kFingerprint);
    CHECK(found[slot].parameters == kParameters);
    CHECK(found[slot].records == 32);
    CHECK(found[slot].steps.bits() == StepCounter(12).bits());
    REQUIRE(found[slot].agent);
    CHECK(found[slot].agent->finished == 16);
    CHECK(found[slot].agent->gates == 3);
    CHECK(found[slot].agent->gate_length == 25);
    CHECK(found[slot].agent->last_update == 1.0F);
    CHECK(found[slot].agent->steps == 256);
    CHECK(found[slot].agent->fresh);
    CHECK(found[slot].agent->estimates == 4);
  }
  CHECK(found[0].sequence == 3);
  CHECK(found[1].sequence == 2);
  CHECK(checkpoint::newer(found[0], found[1]));
  CHECK_FALSE(checkpoint::newer(found[1], found[0]));
  CHECK_FALSE(checkpoint::newer(found[1], found[1]));
}

TEST_CASE("records that are not an agent's of this version are told as bytes") {
  for (const auto& records : {std::vector<std::byte>{}, agent_records(1), agent_records(3),
                              std::vector<std::byte>(31, std::byte{2}), std::vector<std::byte>(300)}) {
    MemoryStore store = make_store(300);
    save(store, records);
    const Description found = described(store, 0);
    CHECK(found.condition == Condition::entire);
    CHECK(found.records == records.size());
    CHECK_FALSE(found.agent);
  }
}

TEST_CASE("whichever bit of a checkpoint flips, it is told as damaged, and why") {
  MemoryStore store = make_store(32);
  save(store, agent_records());
  const std::size_t payload = 4 * kParameters + 8 + 32;
  for (std::size_t bit = 0; bit < 8 * (Store::kPage + payload); ++bit) {
    const std::size_t byte = bit / 8;
    if (byte >= 44 && byte < Store::kPage) continue;  // not checked: it fills the page
    store.flip_bit(0, bit);
    const Condition expected = byte < 8    ? Condition::foreign
                               : byte < 12 ? Condition::version
                               : byte < 44 ? Condition::header_damaged
                                           : Condition::payload_damaged;
    REQUIRE(described(store, 0).condition == expected);
    store.flip_bit(0, bit);
  }
  CHECK(described(store, 0).condition == Condition::entire);
}

TEST_CASE("a store that was cut short, has no page or does not answer is told") {
  MemoryStore store = make_store(32);
  save(store, agent_records());
  for (std::size_t k = 0; k < 3; ++k) {
    store.fail_at(k);
    CHECK(describe(store, 0).status() == Status::store_failed);
  }
  store.truncate(2 * Store::kPage);
  const Description cut = described(store, 0);
  CHECK(cut.condition == Condition::too_long);
  CHECK(cut.fingerprint == kFingerprint);
  CHECK(cut.parameters == kParameters);
  store.truncate(Store::kPage - 1);
  CHECK(describe(store, 0).status() == Status::store_too_small);
}

TEST_CASE("every condition has a text of its own") {
  std::set<std::string_view> texts;
  for (int k = 0; k <= static_cast<int>(Condition::payload_damaged); ++k) {
    texts.insert(popsgd::checkpoint::text(static_cast<Condition>(k)));
  }
  CHECK(texts.size() == 7);
  CHECK_FALSE(texts.contains("unknown condition"));
  CHECK(popsgd::checkpoint::text(static_cast<Condition>(200)) == "unknown condition");
}

}  // namespace
