// Byzantine agents: whatever they say, the honest ones go on learning, and no invariant of theirs is violated.
#include "network.h"

#include <popsgd/sim/error.h>
#include <popsgd/sim/network.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using popsgd::test::VirtualNetwork;
using sim::ByzantineSettings;
using sim::Lie;
using sim::NetworkSettings;
using sim::NetworkTotals;
using sim::parse_byzantine;
using sim::Problem;
using sim::Settings;

constexpr std::uint32_t kAgents = 20;

constexpr Lie kAll[] = {Lie::nan,   Lie::huge,   Lie::random,     Lie::sign_flip, Lie::frozen,
                        Lie::drift, Lie::replay, Lie::slow_loris, Lie::busy,      Lie::malformed};

const Problem& blobs() {
  static const Problem kProblem(sim::DataSpec::parse("blobs:d=8,classes=4,samples=4000,spread=1"), "mlp:16",
                                1);
  return kProblem;
}

Settings settings(std::uint64_t seed) {
  return {.schedule = {.eta = 0.1F}, .agents = kAgents, .batch = 16, .seed = seed};
}

NetworkSettings under_loss(Lie kind, double fraction = 0.1) {
  return {.link = {.loss = 0.1, .jitter_ms = 30, .mtu = 400},
          .byzantine = {.kind = kind, .fraction = fraction},
          .block_length = 100,
          .check_invariants = true};
}

// Accuracy of the honest agents' mean model.
double accuracy(const VirtualNetwork& net) {
  const std::vector<double> mean = net.mean();
  const std::vector<float> model(mean.begin(), mean.end());
  std::vector<float> scratch(blobs().score_scratch());
  return blobs().score(model, blobs().test().rows, scratch).accuracy;
}

std::uint64_t refused(const NetworkTotals& totals, Refusal reason) {
  return totals.refused[static_cast<std::size_t>(reason)];
}

TEST_CASE(
    "under every attack and under loss honest agents stay finite, complete exchanges with each other and "
    "violate "
    "no invariant") {
  constexpr std::uint64_t kSeed = 3;
  CAPTURE(kSeed);
  for (const sim::Merge merge : {sim::Merge::average, sim::Merge::delta}) {
    for (const Lie kind : kAll) {
      CAPTURE(std::string(text(kind)));
      Settings learning = settings(kSeed);
      learning.merge = merge;
      VirtualNetwork net(blobs(), learning, under_loss(kind, 0.2));
      net->run_for(200'000);
      const std::uint64_t before = net->totals().completed - net->totals().with_byzantine;
      net->run_for(200'000);
      const NetworkTotals totals = net->totals();
      CAPTURE(totals.first_violation);
      CHECK(totals.violations == 0);
      CHECK(totals.byzantine == 4);
      CHECK(net->models() == 16);
      CHECK(totals.completed - totals.with_byzantine > before + 50);
      CHECK_FALSE(net->diverged_at());
      const std::vector<float> models = net.models();
      CHECK(std::all_of(models.begin(), models.end(), [](float x) { return std::isfinite(x); }));
      const std::uint64_t open = totals.begun - totals.completed_sides - totals.cut_short;
      CHECK(open <= net->models());
    }
  }
}

TEST_CASE("a swarm under attack learns to within four points of one that is left alone") {
  constexpr std::uint64_t kSeed = 5;
  CAPTURE(kSeed);
  VirtualNetwork peace(blobs(), settings(kSeed), under_loss(Lie::nan, 0));
  peace->run_until(3000);
  const double left_alone = accuracy(peace);
  CHECK(left_alone > 0.8);
  for (const Lie kind : kAll) {
    CAPTURE(std::string(text(kind)));
    VirtualNetwork net(blobs(), settings(kSeed), under_loss(kind));
    net->run_until(3000);
    CHECK(accuracy(net) > left_alone - 0.04);
  }
}

TEST_CASE("without a gate a lie that is finite and in range is averaged in: the attack is one") {
  constexpr std::uint64_t kSeed = 5;
  CAPTURE(kSeed);
  NetworkSettings network = under_loss(Lie::sign_flip);
  VirtualNetwork guarded(blobs(), settings(kSeed), network);
  guarded->run_until(1500);
  network.gate = false;
  VirtualNetwork naive(blobs(), settings(kSeed), network);
  naive->run_until(1500);
  CHECK(naive->totals().with_byzantine > 100);
  CHECK(accuracy(naive) < accuracy(guarded) - 0.05);
}

TEST_CASE("a lie about the model is refused for the reason that belongs to it") {
  constexpr std::uint64_t kSeed = 7;
  CAPTURE(kSeed);
  // The whole model in a block: a single parameter is not told from a small one that far away.
  const auto totals = [](Lie kind) {
    VirtualNetwork net(blobs(), settings(kSeed), {.byzantine = {.kind = kind, .fraction = 0.1}});
    net->run_until(1500);
    return net->totals();
  };
  const NetworkTotals nan = totals(Lie::nan);
  CHECK(refused(nan, Refusal::not_finite) > 100);
  CHECK(refused(nan, Refusal::out_of_range) == 0);
  CHECK(nan.with_byzantine == 0);
  const NetworkTotals huge = totals(Lie::huge);
  CHECK(refused(huge, Refusal::out_of_range) > 100);
  CHECK(refused(huge, Refusal::not_finite) == 0);
  CHECK(huge.with_byzantine == 0);
  const std::uint64_t honest = refused(totals(Lie::busy), Refusal::too_far);
  for (const Lie kind : {Lie::random, Lie::sign_flip}) {
    CAPTURE(std::string(text(kind)));
    const NetworkTotals far = totals(kind);
    CHECK(refused(far, Refusal::too_far) > honest + 100);
    CHECK(refused(far, Refusal::not_finite) + refused(far, Refusal::out_of_range) == 0);
    CHECK(far.with_byzantine < 30);
  }
}

TEST_CASE("a lie about the protocol is dropped for the reason that belongs to it, or told to come back") {
  constexpr std::uint64_t kSeed = 9;
  CAPTURE(kSeed);
  const auto run = [](Lie kind) {
    VirtualNetwork net(blobs(), settings(kSeed), {.byzantine = {.kind = kind, .fraction = 0.1}});
    net->run_for(300'000);
    return net->totals();
  };
  const auto dropped = [](const NetworkTotals& totals, Drop reason) {
    return totals.dropped[static_cast<std::size_t>(reason)];
  };
  const NetworkTotals malformed = run(Lie::malformed);
  CHECK(dropped(malformed, Drop::malformed) > 100);
  CHECK(dropped(malformed, Drop::damaged) == 0);  // the checksums are right
  const NetworkTotals replay = run(Lie::replay);
  CHECK(dropped(replay, Drop::unknown) + dropped(replay, Drop::duplicate) > 100);
  CHECK(run(Lie::busy).with_byzantine == 0);
  const NetworkTotals held_up = run(Lie::slow_loris);
  CHECK(held_up.completed > 1000);  // two of the others are held up at a time, and no more
}

TEST_CASE("the same seed gives the same liars and the same models, another seed does not") {
  for (const Lie kind : kAll) {
    CAPTURE(std::string(text(kind)));
    const auto outcome = [kind](std::uint64_t seed) {
      VirtualNetwork net(blobs(), settings(seed), under_loss(kind));
      net->run_until(200);
      return net.models();
    };
    CHECK(outcome(1) == outcome(1));
    CHECK(outcome(1) != outcome(2));
  }
}

TEST_CASE("liars are the fraction rounded, at least one, and fewer than half") {
  const auto liars = [](std::uint32_t agents, double fraction) {
    Settings learning = settings(1);
    learning.agents = agents;
    const NetworkSettings network{.byzantine = {.kind = Lie::frozen, .fraction = fraction}};
    return VirtualNetwork(blobs(), learning, network)->totals().byzantine;
  };
  CHECK(liars(20, 0) == 0);
  CHECK(liars(20, 0.1) == 2);
  CHECK(liars(20, 0.13) == 3);
  CHECK(liars(20, 0.001) == 1);
  CHECK(liars(20, 0.499) == 9);
  CHECK(liars(3, 0.4) == 1);
  CHECK_THROWS_AS(liars(2, 0.1), sim::Error);
  CHECK_THROWS_AS(liars(20, 0.5), sim::Error);
  CHECK_THROWS_AS(liars(20, -0.1), sim::Error);
}

TEST_CASE("every lie is read by its word, and whatever is wrong is named") {
  for (const Lie kind : kAll) {
    const ByzantineSettings byzantine = parse_byzantine(std::string(text(kind)) + ":0.25");
    CHECK(byzantine.kind == kind);
    CHECK(byzantine.fraction == 0.25);
  }
  CHECK(parse_byzantine("").fraction == 0);
  CHECK(parse_byzantine("nan:0").fraction == 0);

  const auto complaint = [](const char* words) -> std::string {
    try {
      static_cast<void>(parse_byzantine(words));
    } catch (const sim::Error& error) {
      return error.what();
    }
    return {};
  };
  CHECK(complaint("sign-flp:0.1").find("did you mean 'sign-flip'") != std::string::npos);
  CHECK(complaint("evil:0.1").find("slow-loris") != std::string::npos);
  CHECK(complaint(":0.1").find("choose from") != std::string::npos);
  CHECK(complaint("nan").find("nan:0.1") != std::string::npos);
  CHECK(complaint("nan:").find("fraction") != std::string::npos);
  CHECK(complaint("nan:x").find("fraction") != std::string::npos);
  CHECK(complaint("nan:nan").find("fraction") != std::string::npos);
  CHECK(complaint("nan:0.5").find("below 0.5") != std::string::npos);
  CHECK(complaint("nan:-0.1").find("below 0.5") != std::string::npos);
}

}  // namespace
