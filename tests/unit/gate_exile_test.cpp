// Honest agents that have come far apart, all of them: the gate must let them together again.
#include "lossy_net.h"

#include <popsgd/agent.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using popsgd::test::LossyNet;

TEST_CASE("agents all of whom are many radii apart, so that whoever is asked refuses, come together again") {
  for (const std::uint32_t block_length : {0U, 4U}) {
    CAPTURE(block_length);
    LossyNet net(1, {});
    for (std::uint64_t k = 0; k < 2; ++k) {
      AgentConfig config{.seed = k + 1, .fresh = false};
      config.block_length = block_length;
      config.mean_wait = 1000;
      net.add(config, std::vector<float>(12, 0.01F * static_cast<float>(k)));
    }
    net.connect();
    const auto exchanges = [&] { return net[0].agent.metrics().completed; };
    Time end = net.now;
    for (int meeting = 0; meeting < 50; ++meeting) {  // what is usual: a hundredth
      net.run(end = end + 1000);
      for (float& x : net[0].x) x += 0.01F;
    }
    REQUIRE(exchanges() > 10);
    REQUIRE(net[0].agent.distance() < 0.1F);

    for (float& x : net[1].x) x += 10;
    const std::uint64_t before = exchanges();
    int waits = 0;
    for (; exchanges() < before + 2 && waits < 1000; ++waits) net.run(end = end + 1000);
    CHECK(waits < 1000);
    MESSAGE("apart for " << waits << " mean waits");
  }
}

}  // namespace
