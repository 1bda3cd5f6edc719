#include "codec/codec.h"
#include "codec/seal.h"
#include "learner.h"
#include "quantised/wire.h"

#include <popsgd/lattice/encoding.h>
#include <popsgd/sim/algorithm.h>
#include <popsgd/sim/error.h>

#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Numeric;
using popsgd::Schedule;
using popsgd::sim::Account;
using popsgd::sim::DataSpec;
using popsgd::sim::Encoding;
using popsgd::sim::Error;
using popsgd::sim::parse_encoding;
using popsgd::sim::parse_numeric;
using popsgd::sim::Problem;
using popsgd::sim::Settings;
using popsgd::test::Learner;
namespace wire = popsgd::sim::wire;

// 5 x 3 weights and 3 biases.
const Problem& softmax() {
  static const Problem kProblem(DataSpec::parse("blobs:d=5,classes=3,samples=400"), "softmax", 1);
  return kProblem;
}

const Problem& mlp() {
  static const Problem kProblem(DataSpec::parse("blobs:d=30,classes=4,samples=400"), "mlp:50", 1);
  return kProblem;
}

Settings swarm(std::string_view encoding = {}, std::string_view numeric = "float32") {
  Settings settings{.schedule = {.eta = 0.1F}, .agents = 12, .batch = 4, .seed = 7};
  if (!encoding.empty()) settings.encoding = parse_encoding(encoding);
  settings.numerics = parse_numeric(numeric, settings.agents);
  return settings;
}

// Agents step until their counters pass `steps`, then average alone.
Settings settling(Settings settings, double steps) {
  settings.schedule.shape = Schedule::Shape::piecewise;
  settings.schedule.breakpoint_count = 1;
  settings.schedule.breakpoints[0] = {steps, 0};
  settings.schedule.settle = 1e-6F;
  return settings;
}

TEST_CASE("the frames' sizes are those of the codec") {
  namespace codec = popsgd::codec;
  std::vector<std::byte> memory(4096);
  const auto size = [&](codec::Kind kind) {
    codec::Frame frame{.kind = kind, .exchange = 1};
    frame.handshake = {.nonce = 1,
                       .fingerprint = 2,
                       .parameters = 3,
                       .block_length = 3,
                       .mtu = 65535,
                       .window = 1,
                       .layout = 4,
                       .quantises = true};
    if (kind == codec::Kind::ready) frame.acknowledgement = codec::Acknowledgement{.block = 0, .next = 1};
    return codec::encode(frame, memory).value().size() + codec::kSeal;
  };
  CHECK(size(codec::Kind::offer) == wire::kOffer);
  CHECK(size(codec::Kind::accept) == wire::kAccept);
  CHECK(size(codec::Kind::ready) == wire::kReady);
  CHECK(size(codec::Kind::commit) == wire::kCommit);
  CHECK(size(codec::Kind::again) == wire::kAgain);
  CHECK(codec::kStateOverhead + codec::kSeal == wire::kBesideChunk);
  CHECK(codec::kLargestFrame == wire::kLargestFrame);
}

TEST_CASE("what --quantize and --numeric say is read, or refused") {
  CHECK(parse_encoding("raw").code == Encoding::Code::raw);
  CHECK(parse_encoding("auto").automatic);
  CHECK(parse_encoding("3:rotate").rotate);
  CHECK(parse_encoding("3:rotate").bits == 3);
  for (const char* wrong : {"", "1", "17", "four", "4:turn", "raw:rotate", "4.5"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS((void)parse_encoding(wrong), Error);
  }
  CHECK(parse_numeric("float32", 4).empty());
  CHECK(parse_numeric("int8", 2) == std::vector{Numeric::int8, Numeric::int8});
  CHECK(parse_numeric("float32:1,int16:2", 3) ==
        std::vector{Numeric::float32, Numeric::int16, Numeric::int16});
  for (const char* wrong :
       {"", "int32", "int16:2", "int16:2,int8:2", "int16:x", "int16:-1,int8:4", "int16:"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS((void)parse_numeric(wrong, 3), Error);
  }
}

TEST_CASE("what integers or an encoding cannot do is refused") {
  const auto refused = [](const Problem& problem, const Settings& settings,
                          const char* algorithm = "popsgd") {
    CHECK_THROWS_AS(Learner(algorithm, problem, settings), Error);
  };
  Settings settings = swarm({}, "int16");
  settings.sgd.momentum = 0.5F;
  refused(softmax(), settings);
  settings.sgd = {.weight_decay = 0.1F};
  refused(softmax(), settings);
  refused(Problem(DataSpec::parse("least-squares:d=4"), "", 1), swarm({}, "int16"));
  refused(softmax(), swarm("4"), "dpsgd");
  settings = swarm("4");
  settings.merge = popsgd::sim::Merge::delta;
  refused(softmax(), settings);
  settings = swarm({}, "int8");
  settings.encoding.code = Encoding::Code::top_tenth;
  refused(softmax(), settings);
}

TEST_CASE("raw floats learn as the plain population does, bit for bit") {
  Learner plain("popsgd", mlp(), swarm());
  Learner raw("popsgd", mlp(), swarm("raw"));
  plain->run_until(500);
  raw->run_until(500);
  CHECK(plain.models() == raw.models());
  CHECK(plain->account().gradient_evaluations == raw->account().gradient_evaluations);
}

TEST_CASE("one thread and two learn the same") {
  for (const char* encoding : {"raw", "auto", "3:rotate"}) {
    const Settings settings = swarm(encoding, "float32:4,int16:4,int8:4");
    Learner one("popsgd", mlp(), settings, {.workers = 1});
    Learner two("popsgd", mlp(), settings, {.workers = 2});
    one->run_until(1000);
    two->run_until(1000);
    CHECK(one.models() == two.models());
    CHECK(one->account().bytes == two->account().bytes);
    CHECK(one->account().wrapped == two->account().wrapped);
  }
}

// Sums of integers over a swarm, as doubles: exact, as is their mean's being the same.
void conserve(const Settings& settings, std::uint64_t interactions) {
  Learner learner("popsgd", softmax(), settings);
  learner->run_until(400);
  const auto before = learner.mean();
  const auto models = learner.models();
  const Account spent = learner->account();
  learner->run_until(400 + interactions);
  CHECK(learner.mean() == before);
  CHECK(learner.models() != models);
  CHECK(learner->account().gradient_evaluations == spent.gradient_evaluations);
  CHECK(learner->account().saturated == 0);
}

TEST_CASE("a million interactions of integers without steps conserve every sum bit for bit") {
  conserve(settling(swarm({}, "int16"), 30), 1'000'000);
}

TEST_CASE("100,000 interactions without steps conserve sums, whatever the integers and the encoding") {
  for (const char* encoding : {"raw", "4", "auto", "3:rotate", "8"}) {
    for (const char* numeric : {"int16", "int8", "int16:6,int8:6"}) {
      CAPTURE(encoding);
      CAPTURE(numeric);
      conserve(settling(swarm(encoding, numeric), 30), 100'000);
    }
  }
}

TEST_CASE("agents that have settled average without steps, until they agree") {
  Learner learner("popsgd", mlp(), settling(swarm(), 20));
  learner->run_until(200);
  const double apart = learner.gamma();
  const std::uint64_t spent = learner->account().gradient_evaluations;
  CHECK(spent <= 12 * 30);
  learner->run_until(600);
  CHECK(learner->account().gradient_evaluations == spent);
  CHECK(learner.gamma() < 1e-6 * apart);
}

// Every exchange with steps of 2^-16, so that nothing depends on past distances.
Settings fixed_steps(int bits) {
  Settings settings = swarm();
  settings.encoding = {.code = Encoding::Code::lattice, .bits = bits, .exponent = -16};
  return settings;
}

TEST_CASE("bytes are those of the frames, to the byte") {
  // 16 bits reach 0.5: further than any two are apart.
  Learner learner("popsgd", mlp(), fixed_steps(16));
  learner->run_until(300);
  CHECK(learner->account().wrapped == 0);
  // Four tensors: bits and exponents beside the points; the checksums are in READY.
  const std::uint64_t sent = 2 * mlp().parameters() + 1 + 4;
  CHECK(learner->account().bytes == 300 * (98 + 98 + 65 + 49 + 2 * (sent + 56)));
  CHECK(wire::framed(65'479) == 65'535);
  CHECK(wire::framed(65'480) == 65'480 + 2 * 56);
}

TEST_CASE("points out of reach are sent again with more bits, and come to the same") {
  Learner enough("popsgd", mlp(), fixed_steps(16));
  Learner few("popsgd", mlp(), fixed_steps(4));
  enough->run_until(300);
  few->run_until(300);
  CHECK(few->account().wrapped > 250);
  CHECK(few.models() == enough.models());
}

TEST_CASE("points that 16 bits do not reach are followed by the numbers themselves") {
  Settings settings = fixed_steps(16);
  settings.encoding.exponent = -30;
  Learner learner("popsgd", mlp(), settings);
  Learner raw("popsgd", mlp(), swarm("raw"));
  learner->run_until(100);
  raw->run_until(100);
  CHECK(learner->account().wrapped == 100);
  CHECK(learner.models() == raw.models());
}

}  // namespace
