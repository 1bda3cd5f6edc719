// A member that has the key, and lies: over the secure link its model is what it says, and the guard is what is left.
#include "agent_on_link.h"
#include "lossy_net.h"
#include "secure_pair.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::test;

namespace {

constexpr std::size_t kParameters = 3000;

AgentConfig config(std::uint64_t seed, bool honest) {
  return {.seed = seed,
          .fingerprint = 5,
          .fresh = false,
          .mean_wait = 0,
          .largest_frame = 16384,
          .guarding = {.limit = honest ? 1e6F : std::numeric_limits<float>::infinity(), .gate = honest}};
}

/// Somebody that `one` meets now and then, over a secure link of its own each time.
struct Partner {
  Partner(std::uint64_t seed, bool honest)
      : device(config(seed, honest), std::vector<float>(kParameters, 1.0F), Time{}) {
    meeting.use_swarm_keys();
    REQUIRE(device.status == Status::ok);
  }
  void meet(Device& one, Time& now) {
    meeting.clock.time = now + 1'000;
    meeting.dial();
    meeting.run();
    REQUIRE(meeting.met());
    const auto clock = [this] { return meeting.clock.time; };
    AgentOnLink ours(one.agent, clock);
    AgentOnLink theirs(device.agent, clock);
    for (const auto& [agent, diary] :
         {std::pair{&ours, meeting.called.last()}, std::pair{&theirs, meeting.caller.last()}}) {
      diary->on_frame = [agent = agent, diary = diary] {
        agent->received(*diary->link, diary->frames.back());
      };
      agent->begin(*diary->link);
    }
    REQUIRE(device.agent.meet(AgentOnLink::kPeer, clock()) == Status::ok);
    for (int rounds = 0; rounds < 100 && (rounds == 0 || one.agent.exchanging() || device.agent.exchanging());
         ++rounds) {
      theirs.pump();
      ours.pump();
      meeting.run(10);
    }
    meeting.called.last()->on_frame = meeting.caller.last()->on_frame = {};
    meeting.caller.last()->link->close();
    meeting.run();
    now = meeting.clock.time;
    one.agent.lost_peer(AgentOnLink::kPeer, now);
    device.agent.lost_peer(AgentOnLink::kPeer, now);
  }

  Meeting meeting{true};
  Device device;
};

double mean(const std::vector<float>& x) {
  double sum = 0;
  for (const float value : x) sum += static_cast<double>(value);
  return sum / static_cast<double>(x.size());
}

// What the honest pair's models are after so many meetings, one of two of them with the liar.
struct Outcome {
  double one = 0;
  std::uint64_t refused = 0;
  std::uint64_t completed_with_liar = 0;
  std::uint64_t completed = 0;
};

// drift: what its lie moves by from meeting to meeting.
Outcome lie(Refusal reason, float value, float drift = 0) {
  constexpr std::uint64_t kSeed = 3;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::data);
  Time now{};
  Device one(config(1, true), std::vector<float>(kParameters, 1.0F), now);
  REQUIRE(one.status == Status::ok);
  Partner other(2, true);
  Partner liar(3, false);
  Outcome outcome;
  for (int k = 0; k < 20; ++k) {
    // Honest agents are apart by what they learn of their own data meanwhile.
    for (float& x : one.x) x += 0.05F * (random.uniform() - 0.5F);
    for (float& x : other.device.x) x += 0.05F * (random.uniform() - 0.5F);
    other.meet(one, now);
    if (k < 5) continue;
    const std::uint64_t before = one.agent.metrics().completed;
    liar.device.x.assign(kParameters, value + drift * static_cast<float>(k));
    liar.meet(one, now);
    outcome.completed_with_liar += one.agent.metrics().completed - before;
  }
  outcome.one = mean(one.x);
  outcome.completed = one.agent.metrics().completed;
  outcome.refused = one.agent.metrics().refused[static_cast<std::size_t>(reason)];
  for (const Device* device : {&one, &other.device})
    CHECK(std::all_of(device->x.begin(), device->x.end(), [](float x) { return std::abs(x - 1) < 0.5F; }));
  return outcome;
}

void is_refused(Refusal reason, float value) {
  const Outcome outcome = lie(reason, value);
  CHECK(outcome.completed_with_liar == 0);
  CHECK(outcome.refused == 15);
  CHECK(outcome.completed == 20);  // with each other
  CHECK(outcome.one == doctest::Approx(1).epsilon(0.01));
}

}  // namespace

TEST_CASE(
    "a member sends NaN over a secure link: refused each time, the honest pair goes on as if it were not "
    "there") {
  is_refused(Refusal::not_finite, std::numeric_limits<float>::quiet_NaN());
}

TEST_CASE(
    "a member sends 1e30 over a secure link: refused each time, the honest pair goes on as if it were not "
    "there") {
  is_refused(Refusal::out_of_range, 1e30F);
}

TEST_CASE(
    "a member sends its model with the sign flipped over a secure link: refused by the gate, the honest pair "
    "goes on") {
  is_refused(Refusal::too_far, -1.0F);
}

TEST_CASE(
    "a member drifts by less than honest members differ: let in, and pulls by no more than it differs") {
  const Outcome outcome = lie(Refusal::too_far, 1.0F, 0.002F);
  CHECK(outcome.completed_with_liar > 10);
  CHECK(outcome.one <= 1.038);
}
