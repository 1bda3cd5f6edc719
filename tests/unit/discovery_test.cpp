// Agents that find each other, in virtual time.
#include "discovery_net.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::test::DiscoveryNet;

struct Percentiles {
  double median, high, most;
};

Percentiles percentiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&values](double part) {
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1) + 0.5)];
  };
  return {at(0.5), at(0.95), values.back()};
}

// Seconds from the first start until all know all, over many seeds.
Percentiles time_to_know(DiscoveryNet::Options options, std::size_t seeds, double* messages_per_agent) {
  std::vector<double> times;
  double messages = 0;
  for (std::size_t seed = 1; seed <= seeds; ++seed) {
    options.seed = seed;
    DiscoveryNet net(options);
    net.run_until(120'000, [&net] { return net.all_know_all(); });
    times.push_back(static_cast<double>(net.clock) / 1000);
    messages += static_cast<double>(net.beacons + net.messages) / static_cast<double>(net.agents.size());
  }
  *messages_per_agent = messages / static_cast<double>(seeds);
  return percentiles(times);
}

TEST_CASE("32 agents that start within a second all know each other within 8 s, at the 95th percentile") {
  for (const float loss : {0.0F, 0.1F, 0.3F}) {
    double messages = 0;
    const Percentiles seconds = time_to_know({.loss = loss}, 100, &messages);
    std::printf(
        "discovery: 32 agents, %2.0f%% loss: all know all after %.2f / %.2f / %.2f s (50%%, 95%%, most of "
        "100), "
        "%.0f messages an agent\n",
        100.0 * static_cast<double>(loss), seconds.median, seconds.high, seconds.most, messages);
    CHECK(seconds.high < 8);
  }
}

// Most beacons are suppressed, so that it takes the lists of peers to know all.
TEST_CASE("by beacons alone, nobody is reached and everybody knows some") {
  for (const float loss : {0.0F, 0.1F, 0.3F}) {
    DiscoveryNet net({.loss = loss, .links = false});
    net.run_until(8'000);
    std::size_t least = 31;
    double sum = 0;
    for (const auto& agent : net.agents) {
      least = std::min(least, agent.discovery->peers().size());
      sum += static_cast<double>(agent.discovery->peers().size());
    }
    std::printf(
        "discovery: 32 agents, %2.0f%% loss, beacons alone: after 8 s an agent knows %.1f of 31, at least "
        "%zu\n",
        100.0 * static_cast<double>(loss), sum / 32, least);
    CHECK(least >= 3);
  }
}

TEST_CASE("without multicast, a chain of one static address each becomes a swarm in which all know all") {
  double messages = 0;
  std::vector<double> times;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    DiscoveryNet net({.multicast = false, .seed = seed});
    for (std::size_t k = 0; k + 1 < net.agents.size(); ++k)
      net.agents[k].configured = {DiscoveryNet::where(k + 1)};
    net.run_until(600'000, [&net] { return net.all_know_all(); });
    CHECK(net.all_know_all());
    CHECK(net.beacons == 0);
    times.push_back(static_cast<double>(net.clock) / 1000);
    messages += static_cast<double>(net.messages) / static_cast<double>(20 * net.agents.size());
  }
  const Percentiles seconds = percentiles(times);
  std::printf(
      "discovery: a chain of 32, no multicast: all know all after %5.2f / %5.2f / %5.2f s (50%%, 95%%, most "
      "of 20), "
      "%5.1f messages an agent\n",
      seconds.median, seconds.high, seconds.most, messages);
}

TEST_CASE("in steady state a network of 32 carries less than a beacon a second, and little else") {
  for (const float loss : {0.0F, 0.1F, 0.3F}) {
    DiscoveryNet net({.loss = loss});
    net.run_until(100'000);
    const auto beacons = net.beacons;
    const auto messages = net.messages;
    net.run_until(1'100'000);
    const double rate = static_cast<double>(net.beacons - beacons) / 1000;
    const double others = static_cast<double>(net.messages - messages) / 1000;
    std::printf("discovery: 32 agents, %2.0f%% loss, steady: %.3f beacons/s, %.3f peer lists/s in all\n",
                100.0 * static_cast<double>(loss), rate, others);
    CHECK(rate < 1);
    CHECK(others < 2);
  }
}

TEST_CASE("every pair ends with one link, whoever dialled first") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    DiscoveryNet::Options options{.agents = 8, .loss = 0.1F, .spread_ms = 5, .seed = seed};
    options.config.peers.yield = 0;  // all dial at once
    DiscoveryNet net(options);
    net.run_until(120'000);
    std::uint32_t doubles = 0;
    for (std::size_t a = 0; a < 8; ++a) {
      doubles += net.agents[a].discovery->counts().doubles;
      for (std::size_t b = 0; b < a; ++b) CHECK(net.links_between(a, b) == 1);
    }
    CHECK(doubles > 0);
  }
}

TEST_CASE("a newcomer to a swarm at rest is known to all, and knows all, within 2 s") {
  DiscoveryNet net({});
  net.run_until(200'000, {});
  net.stop(5);
  net.run_until(300'000, {});
  net.start(5);
  const auto before = net.clock;
  net.run_until(before + 60'000, [&net] { return net.all_know_all(); });
  CHECK(net.all_know_all());
  CHECK(net.clock - before < 2000);
  std::printf("discovery: a newcomer knows all and is known after %.2f s\n",
              static_cast<double>(net.clock - before) / 1000);
}

TEST_CASE("the dead are forgotten, and nobody tells of them any more") {
  DiscoveryNet net({.agents = 12});
  net.run_until(60'000);
  const auto gone = DiscoveryNet::where(3);
  net.stop(3);
  net.run_until(60'000 + 600'000 + 90'000);
  for (std::size_t k = 0; k < 12; ++k) {
    if (k != 3) CHECK(net.agents[k].discovery->peers().find(gone) == nullptr);
  }
}

TEST_CASE("an agent that finds its own address in its configuration talks to itself once") {
  DiscoveryNet net({.agents = 2, .multicast = false});
  for (auto& agent : net.agents) agent.configured = {DiscoveryNet::where(0), DiscoveryNet::where(1)};
  net.run_until(120'000);
  CHECK(net.all_know_all());
  CHECK(net.links_between(0, 1) == 1);
  for (auto& agent : net.agents) {
    CHECK(agent.discovery->counts().messages.of(popsgd::discovery::Refusal::own) <= 2);
    CHECK(agent.discovery->peers().size() == 1);
  }
}

}  // namespace
