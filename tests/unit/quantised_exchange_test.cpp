// Exchanges of points of a lattice: whoever meets whom, in however many bits.
#include "lossy_net.h"

#include <popsgd/agent.h>
#include <popsgd/random.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using popsgd::test::LossyNet;

constexpr PeerId kFirst{0};
constexpr PeerId kSecond{1};

std::vector<float> normals(std::size_t count, std::uint32_t stream, float scale = 1) {
  Random random(3, Purpose::user, stream);
  std::vector<float> values(count);
  for (float& value : values) value = scale * random.normal();
  return values;
}

AgentConfig config_of(std::uint64_t seed, Quantisation quantise) {
  AgentConfig config;
  config.seed = seed;
  config.fingerprint = 77;
  config.fresh = false;
  config.mean_wait = 0;
  config.block_length = 700;
  config.guarding.gate = false;
  config.quantise = quantise;
  return config;
}

const std::vector<Quantisation> kWidths{
    {}, {Width::fixed, 8}, {Width::fixed, 4}, {Width::fixed, 3, true}, {Width::automatic}};

std::string name(const Quantisation& q) {
  if (q.width != Width::fixed) return q.width == Width::raw ? "raw" : "automatic";
  return std::to_string(q.bits) + (q.rotate ? " bits, rotated" : " bits");
}

double gap(LossyNet& net) {
  double squares = 0;
  for (std::size_t k = 0; k < net[0].x.size(); ++k)
    squares += std::pow(static_cast<double>(net[0].x[k]) - static_cast<double>(net[1].x[k]), 2);
  return std::sqrt(squares / static_cast<double>(net[0].x.size()));
}

double total(LossyNet& net) {
  double sum = 0;
  for (std::size_t k = 0; k < 2; ++k)
    for (const float x : net[k].x) sum += static_cast<double>(x);
  return sum;
}

TEST_CASE("two float agents come together whatever either sends in, and their sum stays") {
  for (const Quantisation& first : kWidths) {
    for (const Quantisation& second : kWidths) {
      CAPTURE(name(first));
      CAPTURE(name(second));
      LossyNet net(9, {.lose = 0.2F, .twice = 0.1F, .delay_ms = 5, .jitter_ms = 20});
      net.add(config_of(1, first), normals(2000, 1));
      net.add(config_of(2, second), normals(2000, 2));
      net.connect();
      const double sum = total(net);
      const double before = gap(net);
      for (int k = 0; k < 20; ++k) {
        const std::size_t who = static_cast<std::size_t>(k % 2);
        REQUIRE(net[who].agent.meet(who == 0 ? kSecond : kFirst, net.now) == Status::ok);
        net.run(net.now + 400'000, true);
        REQUIRE(net.quiet());
      }
      CHECK(gap(net) < 0.2 * before);
      CHECK(total(net) == doctest::Approx(sum).epsilon(1e-5));
      for (std::size_t k = 0; k < 2; ++k) {
        CHECK(net[k].agent.metrics().in_doubt == 0);
        CHECK(net[k].agent.metrics().completed == net[1 - k].agent.metrics().completed);
        CHECK(net[k].agent.metrics().refused[static_cast<std::size_t>(Refusal::checksum)] == 0);
        CHECK(net[k].agent.metrics().dropped[static_cast<std::size_t>(Drop::malformed)] == 0);
      }
    }
  }
}

TEST_CASE("models that jump apart wrap: the block is sent again in more bits, and every exchange is right") {
  auto widths = kWidths;
  widths[0] = {Width::fixed, 2};  // for raw
  for (const Quantisation& width : widths) {
    CAPTURE(name(width));
    LossyNet net(9, {.lose = 0.1F, .delay_ms = 5, .jitter_ms = 20});
    net.add(config_of(1, width), normals(2000, 1));
    net.add(config_of(2, width), normals(2000, 2));
    net.connect();
    Random random(5, Purpose::user);
    std::uint64_t done = 0;
    float peak = 0;
    for (int k = 0; k < 60; ++k) {
      // Now and then much further apart than ever before, by any factor up to 2^20.
      const float jump = k % 3 == 2 ? std::ldexp(1.0F, static_cast<int>(random.below(12))) : 0.1F;
      for (float& x : net[0].x) x += jump * random.normal();
      const auto a = net[0].x;
      const auto b = net[1].x;
      REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
      net.run(net.now + 400'000, true);
      REQUIRE(net.quiet());
      REQUIRE(net[0].agent.metrics().completed == ++done);
      // Each moved to the middle, but for the lattice.
      float furthest = 0;
      float error = 0;
      for (std::size_t i = 0; i < a.size(); ++i) {
        furthest = std::max(furthest, std::fabs(a[i] - b[i]));
        error = std::max({error, std::fabs(net[0].x[i] - 0.5F * (a[i] + b[i])),
                          std::fabs(net[1].x[i] - 0.5F * (a[i] + b[i]))});
      }
      peak = std::max(furthest, 0.9F * peak);  // what steps follow from
      CHECK(error <= furthest + 2 * peak);
    }
    const AgentMetrics& metrics = net[0].agent.metrics();
    MESSAGE(name(width) << ": " << metrics.blocks_applied << " blocks, " << metrics.retries
                        << " tried again");
    CHECK(metrics.retries >= 4);
    CHECK(metrics.retries == net[1].agent.metrics().retries);
    CHECK(metrics.cut_short == 0);
  }
}

TEST_CASE("4 bits take an eighth of the bytes, once a step is known") {
  LossyNet net(1, {.delay_ms = 5});
  for (std::uint32_t k = 0; k < 2; ++k) {
    AgentConfig config = config_of(k + 1, {Width::fixed, 4});
    config.block_length = 0;
    config.window = 32;
    net.add(config, normals(100'000, k));
  }
  net.connect();
  const auto exchange = [&net] {
    const std::uint64_t before = net[0].agent.metrics().bytes_sent;
    REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
    net.run(net.now + 400'000, true);
    return static_cast<double>(net[0].agent.metrics().bytes_sent - before) * 8 / 100'000;
  };
  CHECK(exchange() > 32);
  const double bits = exchange();
  MESSAGE("4 bits in frames of 1200 bytes: " << bits << " bits a parameter");
  CHECK(bits < 4.3);
  CHECK(net[0].agent.metrics().retries == 0);
}

}  // namespace
