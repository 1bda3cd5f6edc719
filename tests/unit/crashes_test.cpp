// Power failures in the network engine: at any event, with frames half sent, with a checkpoint or without.
#include "network.h"

#include <popsgd/sim/error.h>
#include <popsgd/sim/speeds.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using popsgd::test::VirtualNetwork;
using sim::NetworkSettings;
using sim::NetworkTotals;
using sim::parse_crashes;
using sim::Problem;
using sim::Settings;

const Problem& least_squares() {
  static const Problem kProblem(sim::DataSpec::parse("least-squares:d=400,noise=0.1,samples=2000"), "", 1);
  return kProblem;
}

Settings agents(std::uint32_t n, std::uint64_t seed) {
  return {.schedule = {.eta = 0.25F}, .agents = n, .batch = 4, .seed = seed};
}

double distance_to_optimum(const VirtualNetwork& net) {
  double square = 0;
  for (const double x : net.mean()) square += x * x;
  return std::sqrt(square);
}

TEST_CASE("whenever power fails, with checkpoints or without, no invariant is ever violated") {
  std::uint64_t exchanges = 0;
  std::uint64_t crashes = 0;
  std::uint64_t restored = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Settings settings = agents(3 + static_cast<std::uint32_t>(seed % 6), seed);
    settings.merge = seed % 2 == 0 ? sim::Merge::average : sim::Merge::delta;
    settings.speeds = sim::make_speeds("uniform:10", settings.agents, seed);
    const double some = static_cast<double>(seed % 5) / 10;
    VirtualNetwork net(least_squares(), settings,
                       {.link = {.loss = some, .duplicate = some / 2, .corrupt = some / 8, .jitter_ms = 50},
                        .crash = {.rate = 0.01, .down_s = 3, .save_s = seed % 4 < 2 ? 0.0 : 5.0},
                        .mean_wait_ms = 300,
                        .block_length = static_cast<std::uint32_t>(50 + 10 * seed),
                        .gate = seed % 3 == 0,
                        .check_invariants = true});
    net->run_for(180'000);
    const NetworkTotals totals = net->totals();
    CAPTURE(totals.first_violation);
    CHECK(totals.violations == 0);
    CHECK(totals.restored <= totals.crashes);
    CHECK((totals.restored > 0) == (seed % 4 >= 2));
    CHECK(totals.begun - totals.completed_sides - totals.cut_short <= settings.agents);
    exchanges += totals.completed;
    crashes += totals.crashes;
    restored += totals.restored;
  }
  MESSAGE(exchanges << " exchanges, " << crashes << " failures of power, " << restored
                    << " restarts from a checkpoint");
  CHECK(crashes > 1000);
  CHECK(exchanges > 1000);
}

TEST_CASE("the same seed gives the same failures") {
  const auto outcome = [](std::uint64_t seed) {
    VirtualNetwork net(least_squares(), agents(5, seed), {.link = {.loss = 0.1}, .crash = {.rate = 0.01}});
    net->run_until(300);
    return std::pair(net.models(), net->totals().crashes);
  };
  CHECK(outcome(1) == outcome(1));
  CHECK(outcome(1) != outcome(2));
}

TEST_CASE("a swarm whose agents start from nothing now and then learns as it does without failures") {
  // Restarted agents adopt: none of the starting point, at distance 1 from the optimum, comes back.
  VirtualNetwork steady(least_squares(), agents(8, 3), {});
  VirtualNetwork failing(least_squares(), agents(8, 3), {.crash = {.rate = 0.002, .down_s = 5, .save_s = 0}});
  steady->run_until(4000);
  failing->run_until(4000);
  double nearest = 1;  // at some time nobody has just come back, and met nobody yet
  for (int k = 0; k < 6; ++k) {
    failing->run_for(20'000);
    nearest = std::min(nearest, distance_to_optimum(failing));
  }
  CAPTURE(distance_to_optimum(steady));
  CHECK(failing->totals().crashes > 20);
  CHECK(nearest < distance_to_optimum(steady) + 0.05);
}

TEST_CASE("failures are read as they are written, and whatever is wrong is named") {
  const sim::CrashSettings crash = parse_crashes("rate=0.01,down=5,save=0");
  CHECK(crash.rate == 0.01);
  CHECK(crash.down_s == 5);
  CHECK(crash.save_s == 0);
  CHECK(parse_crashes("").rate == 0);
  const auto complaint = [](const char* text) -> std::string {
    try {
      static_cast<void>(parse_crashes(text));
    } catch (const sim::Error& error) {
      return error.what();
    }
    return {};
  };
  CHECK(complaint("rat=0.1").find("did you mean 'rate'") != std::string::npos);
  CHECK(complaint("rate=0.9").find("0.5") != std::string::npos);
  CHECK(complaint("save=0.001").find("0.01 seconds") != std::string::npos);
  CHECK(complaint("down=0").find("0.01") != std::string::npos);
  CHECK(complaint("often").find("KEY=VALUE") != std::string::npos);
}

}  // namespace
