// The network engine: the same bits for the same seed, and what must hold whatever the links do.
#include "network.h"
#include "network/invariants.h"

#include <popsgd/privacy.h>
#include <popsgd/sim/error.h>
#include <popsgd/sim/speeds.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using popsgd::test::VirtualNetwork;
using sim::LinkSettings;
using sim::NetworkSettings;
using sim::NetworkTotals;
using sim::parse_links;
using sim::Problem;
using sim::Settings;

const Problem& noise() {
  static const Problem kProblem(sim::DataSpec::parse("noise:d=700,noise=1,samples=1000"), "", 1);
  return kProblem;
}

// Four clouds of points, whose classes a network with 664 parameters learns.
const Problem& blobs() {
  static const Problem kProblem(sim::DataSpec::parse("blobs:d=17,classes=4,samples=20000"), "mlp:30", 1);
  return kProblem;
}

Settings agents(std::uint32_t n, std::uint64_t seed, std::string_view numeric = "float32") {
  return {.schedule = {.eta = 0.125F},
          .agents = n,
          .batch = 1,
          .numerics = sim::parse_numeric(numeric, n),
          .seed = seed};
}

// Steps only in the first minutes of virtual time, so that what follows moves the models by averaging alone.
Settings that_stop_learning(std::uint32_t n, std::uint64_t seed, sim::Merge merge) {
  Settings settings = agents(n, seed);
  settings.merge = merge;
  settings.clock = sim::Clock::own;
  settings.schedule.shape = Schedule::Shape::piecewise;
  settings.schedule.breakpoints[0] = {10, 0};
  settings.schedule.breakpoint_count = 1;
  return settings;
}

LinkSettings random_weather(std::uint64_t seed) {
  Random random(seed, Purpose::user, 4);
  const auto share = [&random](double most) { return most * static_cast<double>(random.uniform()); };
  return {.loss = share(0.5),
          .duplicate = share(0.2),
          .corrupt = share(0.1),
          .truncate = share(0.1),
          .delay_ms = share(50),
          .jitter_ms = share(100),
          .bandwidth = seed % 3 == 0 ? 1e6 : 0,
          .mtu = 256 + random.below(1500)};
}

TEST_CASE("the same seed gives the same models and the same account, another seed does not") {
  const NetworkSettings network{
      .link = {.loss = 0.2, .duplicate = 0.1, .corrupt = 0.05, .truncate = 0.05, .jitter_ms = 30},
      .block_length = 200};
  for (const char* numeric : {"float32", "int16", "float32:3,int16:3,int8:2"}) {
    const auto outcome = [&](std::uint64_t seed) {
      VirtualNetwork net(blobs(), agents(8, seed, numeric), network);
      net->run_until(300);
      return std::pair(net.models(), net->account().bytes);
    };
    CHECK(outcome(1) == outcome(1));
    CHECK(outcome(1) != outcome(2));
  }
}

TEST_CASE("it does not matter in how many pieces a run is cut, whatever agents learn in") {
  const NetworkSettings network{.link = {.loss = 0.2}};
  for (const char* numeric : {"float32", "float32:3,int16:3,int8:2"}) {
    Settings settings = agents(8, 1, numeric);
    settings.encoding = sim::parse_encoding("auto");
    VirtualNetwork whole(blobs(), settings, network);
    whole->run_until(200);
    VirtualNetwork pieces(blobs(), settings, network);
    for (std::uint64_t k = 0; k <= 200; k += 7) pieces->run_until(k);
    pieces->run_until(200);
    CHECK(whole.models() == pieces.models());
    CHECK(whole->account().interactions == 200);
    CHECK(whole->account().bytes == pieces->account().bytes);
    CHECK(whole->account().saturated == pieces->account().saturated);
  }
}

TEST_CASE("the account counts every step and every byte") {
  Settings settings = agents(4, 1);
  settings.local_steps.mean = 3;
  VirtualNetwork net(noise(), settings, {.link = {.delay_ms = 1}, .gate = false});
  net->run_until(100);
  net->run_for(400);
  const sim::Account account = net->account();
  const NetworkTotals totals = net->totals();
  CHECK(account.gradient_evaluations == 3 * totals.begun);
  CHECK(account.parallel_time == doctest::Approx(static_cast<double>(account.gradient_evaluations) / 4));
  CHECK(account.bytes == totals.bytes_sent);
  CHECK(account.bytes > 2 * 100 * 700 * sizeof(float));
  CHECK(totals.retransmissions == 0);
}

TEST_CASE("a parameter of 16 or 8 bits takes as many on its way, and what is beside it as much as in float") {
  // Two agents in their first exchange, each way one frame of a chunk.
  const auto bytes = [](const char* numeric) {
    const NetworkSettings network{.link = {.mtu = 4096}, .mean_wait_ms = 30'000};
    VirtualNetwork net(blobs(), agents(2, 1, numeric), network);
    net->run_until(1);
    net->run_for(1000);
    CHECK(net->totals().completed == 1);
    CHECK(net->account().bytes == net->totals().bytes_sent);
    return net->account().bytes;
  };
  const std::uint64_t parameters = blobs().parameters();
  CHECK(bytes("int16") - bytes("int8") == 2 * parameters);
  CHECK(bytes("float32:1,int16:1") - bytes("int16") == 2 * parameters);
}

// Of the mean model, on points not seen.
double accuracy(const VirtualNetwork& net) {
  const std::vector<double> mean = net.mean();
  const std::vector<float> x(mean.begin(), mean.end());
  std::vector<float> scratch(blobs().score_scratch());
  return blobs().score(x, blobs().test().rows, scratch).accuracy;
}

TEST_CASE(
    "agents of 16 bits are right as often as floats within half a point, of 8 bits and mixes within one") {
  const auto learned = [](const char* numeric, const char* encoding) {
    Settings settings = agents(8, 1, numeric);
    settings.batch = 8;
    settings.encoding = sim::parse_encoding(encoding);
    VirtualNetwork net(blobs(), settings, {});
    net->run_until(1000);
    return accuracy(net);
  };
  const double floats = learned("float32", "raw");
  CHECK(floats > 0.9);
  for (const char* encoding : {"raw", "auto"}) {
    const double int16 = learned("int16", encoding) - floats;
    const double int8 = learned("int8", encoding) - floats;
    const double mix = learned("float32:4,int16:2,int8:2", encoding) - floats;
    MESSAGE("beside " << floats << ": int16 " << int16 << ", int8 " << int8 << ", all of them " << mix);
    CHECK(std::fabs(int16) < 0.005);
    CHECK(std::fabs(int8) < 0.01);
    CHECK(std::fabs(mix) < 0.01);
  }
}

TEST_CASE(
    "whatever is lost, doubled, reordered, cut or flipped, no invariant is ever violated, and the clock's "
    "wrap-around "
    "passes unnoticed") {
  std::uint64_t exchanges = 0;
  std::uint64_t doubts = 0;
  for (std::uint64_t seed = 1; seed <= 36; ++seed) {
    CAPTURE(seed);
    Settings settings = agents(3 + static_cast<std::uint32_t>(seed % 6), seed);
    settings.merge = seed % 2 == 0 ? sim::Merge::average : sim::Merge::delta;
    settings.speeds = sim::make_speeds("uniform:10", settings.agents, seed);
    VirtualNetwork net(noise(), settings,
                       {.link = random_weather(seed),
                        .mean_wait_ms = 300,
                        .block_length = static_cast<std::uint32_t>(100 + 20 * seed),
                        .gate = seed % 4 < 2,
                        .check_invariants = true},
                       seed % 5 == 0 ? "ring" : "complete");
    net->run_for(180'000);
    const NetworkTotals totals = net->totals();
    CAPTURE(totals.first_violation);
    CHECK(totals.violations == 0);
    exchanges += totals.completed;
    doubts += totals.in_doubt;
  }
  MESSAGE(exchanges << " exchanges completed, " << doubts << " sides in doubt");
  CHECK(exchanges > 500);
}

TEST_CASE(
    "agents of every kind average in every weather, in however many bits, and no invariant is violated") {
  std::uint64_t exchanges = 0;
  std::uint64_t retries = 0;
  std::uint64_t restored = 0;
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    CAPTURE(seed);
    Settings settings = agents(4 + static_cast<std::uint32_t>(seed % 5), seed);
    settings.merge = seed % 2 == 0 ? sim::Merge::average : sim::Merge::delta;
    sim::NetworkSettings network{.link = random_weather(seed), .mean_wait_ms = 300, .block_length = 150};
    for (std::uint32_t k = 0; k < settings.agents; ++k)
      settings.numerics.push_back(static_cast<popsgd::Numeric>(seed % 4 == 3 ? 1 : (k + seed) % 3));
    if (seed % 5 == 0) network.crash = {.rate = 0.01, .down_s = 3, .save_s = seed % 2 == 0 ? 0.0 : 5.0};
    if (seed % 3 != 0)
      settings.encoding = {.code = sim::Encoding::Code::lattice,
                           .bits = static_cast<int>(2 + seed % 5),
                           .automatic = seed % 3 == 1,
                           .rotate = seed % 7 < 3};
    network.gate = seed % 4 == 0;
    network.check_invariants = true;
    VirtualNetwork net(blobs(), settings, network);
    net->run_for(120'000);
    const NetworkTotals totals = net->totals();
    restored += totals.restored;
    CAPTURE(totals.first_violation);
    CHECK(totals.violations == 0);
    exchanges += totals.completed;
    retries += totals.retries;
  }
  MESSAGE(exchanges << " exchanges completed, " << retries << " attempts beyond the first");
  CHECK(exchanges > 500);
  CHECK(retries > 10);
  CHECK(restored > 10);
}

TEST_CASE("the sum of all integers of a swarm is constant, bit for bit, once it takes no steps any more") {
  for (const char* numeric : {"int16", "int8", "int16:4,int8:4"}) {
    for (const char* encoding : {"raw", "auto", "3:rotate"}) {
      CAPTURE(numeric);
      CAPTURE(encoding);
      Settings settings = that_stop_learning(8, 3, sim::Merge::delta);
      settings.numerics = sim::parse_numeric(numeric, 8);
      sim::NetworkSettings network{.link = {.loss = 0.1, .delay_ms = 5, .jitter_ms = 20},
                                   .mean_wait_ms = 300};
      network.gate = false;  // an agent that is astray moves alone
      settings.encoding = sim::parse_encoding(encoding);
      network.check_invariants = true;
      VirtualNetwork net(blobs(), settings, network);
      const auto run = [&net] {  // to a moment when no block is applied on one side only
        net->run_for(60'000);
        while (net->totals().one_sided != 0) net->run_for(50);
      };
      run();
      const std::vector<double> before = net.mean();  // sums of integers in units of 2^-k: exact in double
      const double gamma = net.gamma();
      const std::uint64_t exchanges = net->totals().completed;
      run();
      const NetworkTotals totals = net->totals();
      CHECK(totals.violations == 0);
      CHECK(totals.in_doubt == 0);
      CHECK(totals.saturated == 0);
      CHECK(totals.completed > exchanges + 100);
      CHECK(net.mean() == before);
      CHECK(net.gamma() < gamma + 1);
    }
  }
}

TEST_CASE(
    "what breaks an invariant is noticed: a block twice on a side, a responder alone, time that goes back") {
  const auto violations = [](const std::vector<Applied>& story) {
    sim::Invariants invariants;
    std::uint64_t now = 0;
    for (const Applied& applied : story) {
      invariants.advance(now += 100'000'000);  // the memory outlasts 200 seconds
      invariants.applied(applied);
    }
    CHECK(invariants.first().empty() == (invariants.violations() == 0));
    return invariants.violations();
  };
  const Applied initiator{.exchange = 7, .block = 2, .initiator = true};
  const Applied responder{.exchange = 7, .block = 2, .initiator = false};
  const Applied other{.exchange = 7, .block = 3, .initiator = true};
  CHECK(violations({initiator, other, responder}) == 0);
  CHECK(violations({initiator, other, initiator}) == 1);
  CHECK(violations({initiator, responder, responder}) == 1);
  CHECK(violations({other, responder}) == 1);
  CHECK(violations({responder, initiator}) == 1);

  const auto halves = [](float first_weight, const std::vector<float>& first, float second_weight,
                         const std::vector<float>& second) {
    sim::Invariants invariants;
    Applied applied{.exchange = 7, .initiator = true, .weight = first_weight};
    invariants.applied(applied, false, {first, 1});
    applied.initiator = false;
    applied.weight = second_weight;
    invariants.applied(applied, false, {second, 1});
    return invariants.violations();
  };
  CHECK(halves(0.5F, {0.25F, -1}, 0.5F, {-0.25F, 1}) == 0);
  CHECK(halves(0.5F, {0.25F, -1}, 0.5F, {-0.25F, 1 + 2e-7F}) == 0);
  CHECK(halves(0.5F, {0.25F, -1}, 0.5F, {-0.25F, 1 + 2e-6F}) == 1);
  CHECK(halves(0.5F, {0.25F, -1}, 0.5F, {-0.25F}) == 1);
  CHECK(halves(1, {0.25F, -1}, 0, {0, 0}) == 0);
  CHECK(halves(1, {0.25F, -1}, 0, {0, 1e-9F}) == 1);
  CHECK(halves(0.5F, {0.25F, -1}, 0, {0, 0}) == 0);
  CHECK(halves(1, {0.25F, -1}, 0.5F, {-0.25F, 1}) == 1);

  sim::Invariants invariants;
  invariants.advance(5);
  invariants.advance(4);
  CHECK(invariants.violations() == 1);
}

TEST_CASE("at half of all frames lost every exchange is completed or ends cleanly") {
  VirtualNetwork net(noise(), agents(8, 3), {.link = {.loss = 0.5}, .gate = false, .check_invariants = true});
  net->run_until(1000);
  const NetworkTotals totals = net->totals();
  CAPTURE(totals.first_violation);
  CHECK(totals.violations == 0);
  CHECK(totals.retransmissions > 0);
  const std::uint64_t open = totals.begun - totals.completed_sides - totals.cut_short;
  CHECK(open <= 8);
  MESSAGE(totals.completed << " completed, " << totals.one_sided << " blocks on one side only, "
                           << totals.cut_short << " sides cut short, " << totals.in_doubt << " in doubt");
}

// Goes on until nobody is in the middle of an exchange.
void settle(VirtualNetwork& net) {
  const auto open = [&net] {
    const NetworkTotals totals = net->totals();
    return totals.begun - totals.completed_sides - totals.cut_short;
  };
  for (int tries = 0; tries < 10'000 && open() > 0; ++tries) net->run_for(7);
  REQUIRE(open() == 0);
}

TEST_CASE("averaging conserves the swarm's mean, also when frames are lost, unless one side alone averages") {
  int conserved = 0;
  for (const sim::Merge merge : {sim::Merge::average, sim::Merge::delta}) {
    for (const double loss : {0.0, 0.1, 0.2}) {
      CAPTURE(loss);
      VirtualNetwork net(noise(), that_stop_learning(4, 5, merge),
                         {.link = {.loss = loss}, .mean_wait_ms = 5000, .gate = false});
      net->run_for(600'000);  // every agent has taken its ten steps
      settle(net);
      const std::vector<double> before = net.mean();
      const std::uint64_t one_sided = net->totals().one_sided;
      net->run_until(net->totals().completed + 100);
      settle(net);
      if (net->totals().one_sided != one_sided) continue;
      ++conserved;
      const std::vector<double> after = net.mean();
      double most = 0;
      for (std::size_t k = 0; k < after.size(); ++k) most = std::max(most, std::fabs(after[k] - before[k]));
      CHECK(most < 1e-6);
    }
  }
  CHECK(conserved >= 4);
}

TEST_CASE("a stream keeps order: nothing is repeated, and no frame is out of place") {
  VirtualNetwork net(noise(), agents(6, 2),
                     {.link = {.delay_ms = 5, .jitter_ms = 50, .bandwidth = 1e6, .reliable = true},
                      .mean_wait_ms = 5000,
                      .check_invariants = true});
  net->run_until(200);
  const NetworkTotals totals = net->totals();
  CHECK(totals.violations == 0);
  CHECK(totals.retransmissions == 0);
  CHECK(totals.dropped[static_cast<std::size_t>(Drop::malformed)] == 0);
}

TEST_CASE("a narrow link takes the time its bandwidth says") {
  // Two agents, one frame each way of some 2.9 kB, the second when the first has come: 0.72 seconds at 64 kbit/s,
  // 3 ms at 16 Mbit/s.
  const auto duration = [](double bandwidth) {
    VirtualNetwork net(
        noise(), agents(2, 1),
        {.link = {.delay_ms = 0, .bandwidth = bandwidth, .mtu = 4096}, .mean_wait_ms = 30'000});
    net->run_until(1);
    return net->totals().virtual_seconds;
  };
  const double more = duration(64'000) - duration(16e6);
  CHECK(more > 0.7);
  CHECK(more < 0.8);
}

TEST_CASE("a run that diverges says so") {
  const Problem problem(sim::DataSpec::parse("least-squares:d=8,samples=100"), "", 1);
  Settings settings = agents(4, 1);
  settings.schedule.eta = 900;
  settings.local_steps.mean = 50;
  VirtualNetwork net(problem, settings, {});
  net->run_until(1000);
  CHECK(net->diverged_at());
}

TEST_CASE(
    "no agent spends more than its privacy budget, through whatever failures of power, and a seed repeats "
    "it") {
  const double budget = accountant::epsilon_after(6, 10, 1e-6);
  const NetworkSettings network{.link = {.loss = 0.1},
                                .crash = {.rate = 0.02},
                                .privacy = Privacy::Settings{.clip = 1, .epsilon = budget},
                                .gate = false};
  const auto outcome = [&] {
    VirtualNetwork net(blobs(), agents(8, 1), network);
    net->run_until(15);
    const NetworkTotals totals = net->totals();
    CHECK(totals.releases > 10);
    CHECK(totals.epsilon > 0);
    CHECK(totals.epsilon <= budget * (1 + 1e-9));
    return std::pair(net.models(), totals.releases);
  };
  CHECK(outcome() == outcome());
}

TEST_CASE("links are read as they are written, and whatever is wrong is named") {
  const LinkSettings link = parse_links(
      "loss=0.1,duplicate=0.2,corrupt=0.3,truncate=0.4,sever=0.5,delay=20,jitter=5.5,bandwidth=1e6,mtu=300");
  CHECK(link.loss == 0.1);
  CHECK(link.duplicate == 0.2);
  CHECK(link.corrupt == 0.3);
  CHECK(link.truncate == 0.4);
  CHECK(link.sever == 0.5);
  CHECK(link.delay_ms == 20);
  CHECK(link.jitter_ms == 5.5);
  CHECK(link.bandwidth == 1e6);
  CHECK(link.mtu == 300);
  CHECK_FALSE(link.reliable);
  CHECK(parse_links("reliable=1").reliable);
  CHECK(parse_links("").loss == 0);

  const auto complaint = [](const char* text) -> std::string {
    try {
      static_cast<void>(parse_links(text));
    } catch (const sim::Error& error) {
      return error.what();
    }
    return {};
  };
  CHECK(complaint("los=0.1").find("did you mean 'loss'") != std::string::npos);
  CHECK(complaint("loss=1").find("0.9") != std::string::npos);
  CHECK(complaint("loss=nan").find("loss") != std::string::npos);
  CHECK(complaint("mtu=100").find("256") != std::string::npos);
  CHECK(complaint("bandwidth=1").find("100 bits") != std::string::npos);
  CHECK(complaint("reliable=1,loss=0.1").find("reliable") != std::string::npos);
  CHECK(complaint("loss").find("KEY=VALUE") != std::string::npos);
  CHECK(complaint("loss=0.1,loss=0.2").find("twice") != std::string::npos);
}

TEST_CASE("settings that the engine cannot honour are refused") {
  const auto refused = [](Settings settings, const NetworkSettings& network = {}) {
    CHECK_THROWS_AS(VirtualNetwork(noise(), std::move(settings), network), sim::Error);
  };
  refused(agents(4, 1, "int16"));  // noise has no network
  refused(agents(4097, 1));
  Settings geometric = agents(4, 1);
  geometric.local_steps = {.mean = 4, .geometric = true};
  refused(geometric);
  Settings slow = agents(4, 1);
  slow.speeds = {1e-5, 1, 1, 2};
  refused(slow);
  refused(agents(4, 1), {.mean_wait_ms = 0});
}

TEST_CASE("links over which nothing gets through end the run with a word, not never") {
  VirtualNetwork net(noise(), agents(2, 1), {.link = {.loss = 0.9, .corrupt = 0.9, .mtu = 256}});
  CHECK_THROWS_AS(net->run_until(1000), sim::Error);
}

}  // namespace
