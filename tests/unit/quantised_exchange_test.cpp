// Exchanges of points of a lattice: whoever meets whom, in however many bits.
#include "lossy_net.h"
#include "memory_store.h"

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
using popsgd::test::Device;
using popsgd::test::LossyNet;
using popsgd::test::MemoryStore;

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

// Of every kind with its own units, and tensors that blocks and chunks cut anywhere.
std::vector<Tensor> layout_of(Numeric numeric) {
  const auto fraction = [numeric](int of_int16) {
    return static_cast<std::int8_t>(numeric == Numeric::float32 ? 0
                                    : numeric == Numeric::int16 ? of_int16
                                                                : of_int16 - 8);
  };
  return {
      {900, fraction(12)}, {3, fraction(10)}, {1, fraction(13)}, {1000, fraction(12)}, {96, fraction(11)}};
}

constexpr Numeric kKinds[] = {Numeric::float32, Numeric::int16, Numeric::int8};
std::string name(Numeric numeric) {
  return numeric == Numeric::float32 ? "float32" : numeric == Numeric::int16 ? "int16" : "int8";
}

double gap(const LossyNet& net) {
  double squares = 0;
  for (std::size_t k = 0; k < net[0].x.size(); ++k) squares += std::pow(net[0].value(k) - net[1].value(k), 2);
  return std::sqrt(squares / static_cast<double>(net[0].x.size()));
}

double sum(const LossyNet& net, std::size_t k) {
  return net[0].value(k) + net[1].value(k);
}

// The coarser unit of two models, by which their sums may change; of two float models what rounding takes.
double tolerance(const LossyNet& net, std::size_t k) {
  if (net[0].numeric == net[1].numeric && net[0].numeric != Numeric::float32) return 0;
  double unit = 1e-4;
  for (std::size_t side = 0; side < 2; ++side)
    if (net[side].numeric != Numeric::float32) unit = std::max(unit, std::ldexp(1.0, -net[side].fraction(k)));
  return unit;
}

// Until an offer gets through: all copies of one may be lost.
void meet_for_sure(LossyNet& net, std::size_t who) {
  const std::uint64_t before = net[who].agent.metrics().begun;
  while (net[who].agent.metrics().begun == before) {
    REQUIRE(net[who].agent.meet(who == 0 ? kSecond : kFirst, net.now) == Status::ok);
    net.run(net.now + 400'000, true);
    REQUIRE(net.quiet());
  }
}

void check_pair(Numeric kind, Numeric other, const Quantisation& first, const Quantisation& second) {
  CAPTURE(name(kind));
  CAPTURE(name(other));
  CAPTURE(name(first));
  CAPTURE(name(second));
  LossyNet net(9, {.lose = 0.2F, .twice = 0.1F, .delay_ms = 5, .jitter_ms = 20});
  net.add(config_of(1, first), kind, layout_of(kind), normals(2000, 1));
  net.add(config_of(2, second), other, layout_of(other), normals(2000, 2));
  net.connect();
  REQUIRE(net[0].status == Status::ok);
  REQUIRE(net[1].status == Status::ok);
  std::vector<double> sums;
  for (std::size_t k = 0; k < 2000; ++k) sums.push_back(sum(net, k));
  const double before = gap(net);
  for (std::size_t k = 0; k < 20; ++k) {
    REQUIRE(net[k % 2].agent.meet(k % 2 == 0 ? kSecond : kFirst, net.now) == Status::ok);
    net.run(net.now + 400'000, true);
    REQUIRE(net.quiet());
  }
  const bool coarse = first.bits == 3 && second.bits == 3;
  CHECK(gap(net) < (coarse ? 0.5 : 0.2) * before);
  double worst = -1;
  for (std::size_t k = 0; k < 2000; ++k)
    worst = std::max(worst, std::fabs(sum(net, k) - sums[k]) - tolerance(net, k));
  CHECK(worst <= 0);
  for (std::size_t k = 0; k < 2; ++k) {
    const AgentMetrics& metrics = net[k].agent.metrics();
    CHECK(metrics.completed > 10);
    CHECK(metrics.completed == net[1 - k].agent.metrics().completed);
    CHECK(metrics.in_doubt == 0);
    CHECK(metrics.saturated == 0);
    CHECK(metrics.refused[static_cast<std::size_t>(Refusal::checksum)] == 0);
    CHECK(metrics.dropped[static_cast<std::size_t>(Drop::malformed)] == 0);
  }
}

TEST_CASE(
    "any two agents come together whatever either sends in, and their sum stays, bit for bit of one kind") {
  for (const Numeric kind : kKinds) {
    for (const Numeric other : kKinds) {
      for (const Quantisation& width : kWidths) {
        check_pair(kind, other, width, width);
        check_pair(kind, other, width, kWidths[0]);
        check_pair(kind, other, kWidths[1], width);
        check_pair(kind, other, kWidths.back(), width);
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
      meet_for_sure(net, 0);
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

TEST_CASE("only what was read wrong crosses again, in one bit more, whichever role its sender has") {
  constexpr std::size_t kParameters = 20'000;
  for (const std::size_t initiator : {0U, 1U}) {
    CAPTURE(initiator);
    LossyNet net(9, {.delay_ms = 5});
    for (std::uint32_t k = 0; k < 3; ++k) {
      AgentConfig config = config_of(k + 1, {Width::fixed, k == 0 ? std::uint8_t{4} : std::uint8_t{8}});
      config.block_length = 0;
      config.largest_frame = 65'535;
      net.add(config, normals(kParameters, k, k == 2 ? 20.0F : 1.0F));
    }
    net.connect({.mtu = 65'535});
    const auto sent = [&net](std::size_t who) {
      return 8.0 * static_cast<double>(net[who].agent.metrics().bytes_sent) / kParameters;
    };
    meet_for_sure(net, 0);
    REQUIRE(net[1].agent.meet(PeerId{2}, net.now) ==
            Status::ok);  // far away: it takes large steps from now on
    net.run(net.now + 400'000, true);
    // Four times as far apart as the first two have ever been.
    const std::vector<float> far = normals(kParameters, 1, 6);
    for (std::size_t k = 0; k < kParameters; ++k) net[0].x[k] = net[1].x[k] + far[k];
    const std::uint64_t retries = net[1].agent.metrics().retries;
    const double coarse = sent(0);
    const double fine = sent(1);
    meet_for_sure(net, initiator);
    CHECK(net[0].agent.metrics().completed == 2);
    CHECK(net[0].agent.metrics().retries == 1);
    CHECK(net[1].agent.metrics().retries == retries + 1);
    CHECK(sent(0) - coarse == doctest::Approx(4 + 5).epsilon(0.02));
    CHECK(sent(1) - fine == doctest::Approx(8).epsilon(0.02));
  }
}

TEST_CASE("integer models that jump apart within their range wrap, too, and conserve their sum bit for bit") {
  for (const Numeric kind : {Numeric::int16, Numeric::int8}) {
    for (const Quantisation& width : {Quantisation{Width::fixed, 2}, Quantisation{Width::fixed, 3, true},
                                      Quantisation{Width::fixed, 4}, Quantisation{Width::automatic}}) {
      CAPTURE(name(kind));
      CAPTURE(name(width));
      LossyNet net(9, {.lose = 0.1F, .delay_ms = 5, .jitter_ms = 20});
      for (std::uint32_t k = 0; k < 2; ++k)
        net.add(config_of(k + 1, width), kind, layout_of(kind), normals(2000, 1));
      net.connect();
      for (int k = 0; k < 40; ++k) {
        net[0].set(
            normals(2000, static_cast<std::uint32_t>(1 + k / 8)));  // the same for a while, then another
        std::vector<double> sums;
        for (std::size_t i = 0; i < 2000; ++i) sums.push_back(sum(net, i));
        meet_for_sure(net, static_cast<std::size_t>(k % 2));
        REQUIRE(net[0].agent.metrics().completed == static_cast<std::uint64_t>(k + 1));
        for (std::size_t i = 0; i < 2000; ++i) REQUIRE(sum(net, i) == sums[i]);
      }
      MESSAGE(name(kind) << ", " << name(width) << ": " << net[0].agent.metrics().retries << " tried again");
      CHECK(net[0].agent.metrics().retries > 0);
      CHECK(net[0].agent.metrics().saturated == 0);
    }
  }
}

// Zeros are on a lattice as fine as there is; biases begin as zeros.
TEST_CASE("floats at zero, or near it, average with integers far away") {
  for (const Numeric kind : {Numeric::int16, Numeric::int8}) {
    for (const float start : {0.0F, 1e-6F, 1e-3F}) {
      CAPTURE(name(kind));
      CAPTURE(start);
      LossyNet net(9, {.delay_ms = 5});
      net.add(config_of(1, {Width::fixed, 8}), Numeric::float32, {{300, 0}}, std::vector<float>(300, start));
      net.add(config_of(2, {Width::fixed, 8}), kind, {{300, 4}}, std::vector<float>(300, 4.0F));
      net.connect();
      meet_for_sure(net, 0);
      CHECK(net[0].agent.metrics().completed == 1);
      CHECK(net[0].agent.metrics().retries == 0);
      for (std::size_t k = 0; k < 300; ++k) {
        REQUIRE(std::fabs(net[0].value(k) - 2) <= 0.0625);
        REQUIRE(std::fabs(net[1].value(k) - 2) <= 0.0625);
      }
    }
  }
}

TEST_CASE("a fresh agent takes over what its partner is, of whichever kind, and its partner keeps it") {
  for (const Numeric kind : kKinds) {
    for (const Numeric other : kKinds) {
      for (const bool fresh_offers : {true, false}) {
        CAPTURE(name(kind));
        CAPTURE(name(other));
        LossyNet net(9, {.lose = 0.1F, .delay_ms = 5, .jitter_ms = 20});
        AgentConfig config = config_of(1, {Width::fixed, 3, true});
        config.fresh = true;
        net.add(config, kind, layout_of(kind), normals(2000, 1));
        net.add(config_of(2, {Width::automatic}), other, layout_of(other), normals(2000, 2));
        net.connect();
        std::vector<double> kept;
        for (std::size_t k = 0; k < 2000; ++k) kept.push_back(net[1].value(k));
        REQUIRE(net[fresh_offers ? 0 : 1].agent.meet(fresh_offers ? kSecond : kFirst, net.now) == Status::ok);
        net.run(net.now + 400'000, true);
        REQUIRE(net[0].agent.metrics().completed == 1);
        CHECK_FALSE(net[0].agent.fresh());
        double furthest = 0;
        double beyond = -1;
        for (std::size_t k = 0; k < 2000; ++k) {
          const double unit =
              net[0].numeric == Numeric::float32 ? 1e-6 : std::ldexp(1.0, -net[0].fraction(k));
          furthest = std::max(furthest, std::fabs(net[1].value(k) - kept[k]));
          beyond = std::max(beyond, std::fabs(net[0].value(k) - kept[k]) - unit);
        }
        CHECK(furthest == 0);
        CHECK(beyond < 0);
      }
    }
  }
}

TEST_CASE("agents whose tensors differ do not exchange") {
  LossyNet net(9, {});
  net.add(config_of(1, {}), normals(2000, 1));
  net.add(config_of(2, {}), Numeric::int16, layout_of(Numeric::int16), normals(2000, 2));
  net.connect();
  REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
  net.run(net.now + 400'000, true);
  CHECK(net[0].agent.metrics().begun == 0);
  CHECK(net[1].agent.metrics().dropped[static_cast<std::size_t>(Drop::incompatible)] == 1);
}

// An int8 agent whose step moves all parameters by the rate's mantissa.
struct Walker {
  Walker() {
    const auto function = [](const void*, std::span<std::int8_t> weights, const FixedBatch&, FixedRate rate,
                             Random&, std::span<std::int32_t>, std::uint64_t& saturated) noexcept {
      for (std::int8_t& w : weights) w = static_cast<std::int8_t>(w + static_cast<int>(rate.mantissa));
      ++saturated;
      return std::int32_t{3 << 15};
    };
    const FixedGradient<std::int8_t> gradient{.function = function, .parameters = 10};
    const FixedBatchSource source{
        [](void* at) noexcept -> const FixedBatch& { return *static_cast<FixedBatch*>(at); }, &batch};
    AgentConfig config;
    words.resize(Agent::workspace_size(config, 10, 1, Numeric::int8) / 8 + 1);
    status = agent.init(config, x, layout, gradient, source, {.eta = {.mantissa = 5}}, {},
                        std::as_writable_bytes(std::span(words)), Time(0));
  }
  FixedBatch batch{};
  std::vector<std::int8_t> x = std::vector<std::int8_t>(10);
  std::vector<Tensor> layout{{10, 4}};
  std::vector<std::uint64_t> words;
  Agent agent;
  Status status{};
};

TEST_CASE("an integer agent learns by its own gradient and schedule, and goes on from its checkpoint") {
  Walker walker;
  REQUIRE(walker.status == Status::ok);
  for (int k = 0; k < 3; ++k) {
    const auto loss = walker.agent.step();
    REQUIRE(loss.ok());
    CHECK(loss.value() == 1.5F);
  }
  CHECK(walker.x == std::vector<std::int8_t>(10, 15));
  CHECK(walker.agent.metrics().steps == 3);
  CHECK(walker.agent.metrics().saturated_in_steps == 3);
  MemoryStore store(static_cast<std::size_t>(Agent::checkpoint_size({}, 10, 1, Numeric::int8)));
  REQUIRE(walker.agent.save(store) == Status::ok);
  Walker again;
  REQUIRE(again.agent.restore(store, Time(0)) == Status::ok);
  CHECK(again.x == walker.x);
  CHECK(again.agent.counter() == StepCounter(3));
}

TEST_CASE("after a restart an agent knows its steps; and power may fail during any attempt") {
  for (const Numeric kind : kKinds) {
    LossyNet net(9, {.delay_ms = 5});
    const Quantisation width{Width::fixed, 3};
    for (std::uint32_t k = 0; k < 2; ++k)
      net.add(config_of(k + 1, width), kind, layout_of(kind), normals(2000, k));
    net.connect();
    const auto meet = [&net](std::size_t who) {
      static_cast<void>(net[who].agent.meet(who == 0 ? kSecond : kFirst, net.now));
      net.run(net.now + 400'000, true);
    };
    meet(0);
    meet(0);
    MemoryStore store(static_cast<std::size_t>(Agent::checkpoint_size(config_of(1, width), 2000, 5, kind)));
    const std::uint64_t retries = net[0].agent.metrics().retries;
    net[0].set(normals(2000, 7, 3));  // far away: it will wrap
    REQUIRE(net[0].agent.save(store) == Status::ok);
    REQUIRE(net[0].agent.meet(kSecond, net.now) == Status::ok);
    bool cut = false;
    net.watch = [&] {
      if (cut || net[0].agent.metrics().retries == retries) return;
      cut = true;  // power fails in the middle of a second attempt
      net.restart(0, kind, config_of(5, width), normals(2000, 8));
      REQUIRE(net[0].agent.restore(store, net.now) == Status::ok);
    };
    net.run(net.now + 400'000, true);
    net.watch = {};
    REQUIRE(cut);
    CHECK(net.quiet());
    CHECK(net[0].agent.metrics().blocks_applied == 0);
    CHECK(net[1].agent.metrics().in_doubt <= 1);
    // It still knows its steps: what it sends is not raw.
    const std::uint64_t before = net[0].agent.metrics().bytes_sent;
    meet(0);
    CHECK(net[0].agent.metrics().completed == 1);
    CHECK(net[0].agent.metrics().retries > 0);
    meet(0);
    meet(0);
    CHECK(net[0].agent.metrics().bytes_sent > before);
    CHECK(gap(net) < 3);
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

// --- what is refused

std::vector<double> values_of(const Device& device) {
  std::vector<double> values;
  for (std::size_t k = 0; k < device.x.size(); ++k) values.push_back(device.value(k));
  return values;
}

std::uint64_t refusals(const LossyNet& net, Refusal reason) {
  std::uint64_t count = 0;
  for (std::size_t k = 0; k < net.size(); ++k)
    count += net[k].agent.metrics().refused[static_cast<std::size_t>(reason)];
  return count;
}

void meet(LossyNet& net, std::size_t who) {
  REQUIRE(net[who].agent.meet(who == 0 ? kSecond : kFirst, net.now) == Status::ok);
  net.run(net.now + 400'000, true);
  REQUIRE(net.quiet());
}

std::vector<float> moved(const std::vector<float>& values, float by) {
  std::vector<float> result = values;
  for (float& value : result) value += by;
  return result;
}

TEST_CASE(
    "whoever is suddenly far away is refused, whatever it is made of and whoever offers, and nobody moves") {
  for (const Numeric kind : kKinds) {
    for (const Numeric other : kKinds) {
      for (const Quantisation& width : kWidths) {
        for (const std::size_t offers : {0UL, 1UL}) {
          CAPTURE(name(kind));
          CAPTURE(name(other));
          CAPTURE(name(width));
          AgentConfig config = config_of(1, width);
          config.guarding.gate = true;
          LossyNet net(9, {.delay_ms = 5});
          const std::vector<float> start = normals(2000, 1, 0.5F);
          net.add(config, kind, layout_of(kind), start);
          config.seed = 2;
          net.add(config, other, layout_of(other), start);
          net.connect();
          for (int k = 0; k < 4; ++k) {  // both learn how close partners are
            net[1].set(moved(start, k % 2 == 0 ? 0.25F : -0.25F));
            meet(net, offers);
          }
          CHECK(net[0].agent.metrics().completed == 4);
          net[1].set(moved(start, 2));
          const auto first = values_of(net[0]);
          const auto second = values_of(net[1]);
          meet(net, offers);
          CHECK(refusals(net, Refusal::too_far) == 1);
          CHECK(net[0].agent.metrics().cut_short == 1);
          CHECK(net[1].agent.metrics().cut_short == 1);
          CHECK(values_of(net[0]) == first);
          CHECK(values_of(net[1]) == second);
        }
      }
    }
  }
}

TEST_CASE("a float agent refuses points that are out of its range, to average with or to take over") {
  for (const Numeric other : {Numeric::int16, Numeric::int8}) {
    for (const bool gate : {false, true}) {
      for (const bool fresh : {false, true}) {
        for (const std::size_t offers : {0UL, 1UL}) {
          AgentConfig config = config_of(1, {});
          config.guarding = {.limit = 1, .gate = gate};
          config.fresh = fresh;
          LossyNet net(9, {.delay_ms = 5});
          net.add(config, Numeric::float32, layout_of(Numeric::float32), std::vector<float>(2000, -0.75F));
          net.add(config_of(2, {}), other, layout_of(other), std::vector<float>(2000, -1.25F));
          net.connect();
          meet(net, offers);
          CHECK(refusals(net, Refusal::out_of_range) == 1);
          CHECK(net[0].x == std::vector<float>(2000, -0.75F));
          net[1].set(std::vector<float>(2000, 0.75F));  // further away, but within
          meet(net, offers);
          CHECK(net[0].agent.metrics().completed == 1);
        }
      }
    }
  }
}

TEST_CASE("a float agent whose model has come to grief takes its next partner's points") {
  for (const Numeric other : {Numeric::int16, Numeric::int8}) {
    AgentConfig config = config_of(1, {Width::fixed, 4});
    config.guarding.gate = true;
    LossyNet net(9, {.delay_ms = 5});
    net.add(config, Numeric::float32, layout_of(Numeric::float32), std::vector<float>(2000, std::nanf("")));
    net.add(config_of(2, {}), other, layout_of(other), std::vector<float>(2000, 0.5F));
    net.connect();
    meet(net, 1);
    CHECK(net[0].agent.fresh());
    CHECK(net[1].agent.metrics().completed == 0);
    meet(net, 0);
    CHECK_FALSE(net[0].agent.fresh());
    CHECK(net[0].x == std::vector<float>(2000, 0.5F));
  }
}

TEST_CASE("an integer agent that has met nobody yet admits whoever is within twice its last step") {
  for (const Numeric kind : {Numeric::int16, Numeric::int8}) {
    for (const bool near : {true, false}) {
      const std::vector<Tensor> layout{{400, 4}, {200, 4}};
      LossyNet net(9, {.delay_ms = 5});
      AgentConfig config = config_of(1, {});
      config.guarding.gate = true;
      net.add(config, kind, layout, std::vector<float>(600));
      net[0].drift = 8;  // half, at every step
      REQUIRE(net[0].agent.step().ok());
      net.add(config_of(2, {}), Numeric::float32, layout, std::vector<float>(600, near ? 1.4375F : 1.5625F));
      net.connect();
      meet(net, 0);
      CHECK(net[0].agent.metrics().completed == (near ? 1 : 0));
      CHECK(refusals(net, Refusal::too_far) == (near ? 0 : 1));
    }
  }
}

// --- tensors

TEST_CASE("there may be more tensors than parameters in a block, and fewer than two") {
  for (const Numeric kind : kKinds) {
    for (const Numeric other : kKinds) {
      for (const std::uint32_t block : {7U, 60U}) {
        for (const std::size_t tensors : {1UL, 60UL}) {
          std::vector<Tensor> layout(tensors, {static_cast<std::uint32_t>(60 / tensors), 5});
          LossyNet net(9, {.delay_ms = 5});
          for (std::uint32_t k = 0; k < 2; ++k) {
            AgentConfig config = config_of(k + 1, {Width::automatic});
            config.block_length = block;
            net.add(config, k == 0 ? kind : other, layout, std::vector<float>(60, k == 0 ? 1.0F : 2.0F));
          }
          net.connect({.mtu = 256});  // as little as 39 such tensors to a chunk
          for (int k = 0; k < 3; ++k) meet(net, 0);
          CHECK(net[1].agent.metrics().blocks_applied == 3 * ((60 + block - 1) / block));
          CHECK(values_of(net[0]) == std::vector<double>(60, 1.5));
          CHECK(values_of(net[1]) == std::vector<double>(60, 1.5));
        }
      }
    }
  }
}

}  // namespace
