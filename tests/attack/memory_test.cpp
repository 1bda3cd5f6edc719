// A machine whose memory ends at any moment of a handshake. calloc() is the test's here, which mbedTLS takes all its memory by.
#include "crowd.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::test;
using secure::Refusal;

namespace {

struct Memory {
  bool counts = false;
  std::size_t calls = 0;
  std::size_t fails_from = SIZE_MAX;  // which call fails
  std::size_t fails_until = SIZE_MAX;
};
Memory memory;

void count_calls() {
  memory = {.counts = true};
}
void fail(std::size_t from, std::size_t until) {
  memory = {.counts = true, .fails_from = from, .fails_until = until};
}
std::size_t end_count() {
  return std::exchange(memory, {}).calls;
}

}  // namespace

extern "C" void* calloc(std::size_t count, std::size_t size) {
  if (memory.counts) {
    const std::size_t call = memory.calls++;
    if (call >= memory.fails_from && call < memory.fails_until) return nullptr;
  }
  if (size != 0 && count > SIZE_MAX / size) return nullptr;
  void* const bytes = std::malloc(count * size);
  if (bytes != nullptr) std::memset(bytes, 0, count * size);
  return bytes;
}

namespace {

// Both are in one process, and so is their memory.
void attempt(Meeting& meeting) {
  meeting.dial();
  meeting.run(11'000);
}

void end(Meeting& meeting) {
  meeting.there->close();
  meeting.back->close();
  meeting.run(2'000);
}

// One call fails, or all from it on.
void fail_everywhere(bool reliable, bool all) {
  std::size_t calls = 0;
  {
    Meeting meeting(reliable);
    meeting.use_swarm_keys();
    count_calls();
    attempt(meeting);
    calls = end_count();
    REQUIRE(meeting.met());
    REQUIRE(calls > 30);
  }
  std::size_t failures = 0;
  for (std::size_t k = 0; k < calls; k += all ? 5 : 1) {
    CAPTURE(k);
    const std::size_t before = memory_in_use();
    {
      Meeting meeting(reliable);
      meeting.use_swarm_keys();
      fail(k, all ? SIZE_MAX : k + 1);
      attempt(meeting);
      static_cast<void>(end_count());
      // Whoever had no memory said so, or went on without what it was for; nobody believes in half a session.
      if (meeting.met()) {
        CHECK(meeting.caller.last()->link->send(frame_of(100)) == Status::ok);
        meeting.run();
        CHECK(meeting.called.last()->frames == std::vector<Bytes>{frame_of(100)});
      } else {
        ++failures;
      }
      end(meeting);
      attempt(meeting);
      CHECK(meeting.met());
      end(meeting);
    }
    CHECK(memory_in_use() <= before + 4096);
  }
  MESSAGE(calls << " allocations; the handshake failed with " << failures);
  CHECK(failures > 0);
}

}  // namespace

TEST_CASE(
    "the k-th allocation of a handshake over a stream fails, for every k: no crash, no leak, the next one "
    "succeeds") {
  fail_everywhere(true, false);
}

TEST_CASE(
    "the k-th allocation of a handshake over datagrams fails, for every k: no crash, no leak, the next one "
    "succeeds") {
  fail_everywhere(false, false);
}

TEST_CASE(
    "all allocations fail from the k-th on: no crash, no leak, a handshake succeeds when there is memory "
    "again") {
  for (const bool reliable : {true, false}) fail_everywhere(reliable, true);
}

TEST_CASE(
    "the k-th allocation of taking keys fails, for every k: no_room or no entropy, and the next time it "
    "succeeds") {
  for (std::size_t k = 0; k < 200; ++k) {
    CAPTURE(k);
    HandClock clock;
    Guarded member(clock, 1);
    fail(k, k + 1);
    const Status status = member.context.use(swarm_keys());
    const std::size_t calls = end_count();
    HandLink link({1200, false});
    link.user = member.gate.admit(link, {}, true);
    CHECK((link.user != nullptr) == (status == Status::ok));
    if (status != Status::ok) CHECK(member.context.use(swarm_keys()) == Status::ok);
    if (link.user == nullptr) link.user = member.gate.admit(link, {}, true);
    CHECK(link.user != nullptr);
    link.close();
    link.settle();
    if (calls <= k) break;
    CHECK(k < 199);
  }
}
