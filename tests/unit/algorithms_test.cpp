#include "learner.h"
#include "pairs.h"
#include "sampler.h"
#include "statistics.h"

#include <popsgd/sim/algorithm.h>
#include <popsgd/sim/error.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Schedule;
using popsgd::sim::Account;
using popsgd::sim::Clock;
using popsgd::sim::DataSpec;
using popsgd::sim::Merge;
using popsgd::sim::Pair;
using popsgd::sim::PairSequence;
using popsgd::sim::Problem;
using popsgd::sim::Sampler;
using popsgd::sim::Settings;
using popsgd::test::Learner;
using popsgd::test::Surroundings;

constexpr const char* kBlobs = "blobs:d=5,classes=3,samples=400";
const std::vector<std::string> kAll{"popsgd", "adpsgd", "sgd", "minibatch",
                                    "fedavg", "dpsgd",  "sgp", "local"};

// What a run has come to: compared whole.
struct Result {
  std::vector<float> models;
  std::uint64_t gradient_evaluations;
  std::optional<std::uint64_t> diverged_at;
  bool operator==(const Result&) const = default;
};

Result result_of(const Learner& learner) {
  return {learner.models(), learner->account().gradient_evaluations, learner->diverged_at()};
}

Result learn(std::string_view algorithm, const Problem& problem, const Settings& settings,
             const Surroundings& around, std::uint64_t interactions) {
  Learner learner(algorithm, problem, settings, around);
  learner->run_until(interactions);
  return result_of(learner);
}

// Settings that between them take every path through the population engine.
struct Variant {
  std::string name;
  Settings settings;
  Surroundings around;
};

std::vector<Variant> population_variants() {
  const Settings plain{.schedule = {.eta = 0.2F}, .agents = 20, .batch = 3};
  std::vector<Variant> variants;
  const auto add = [&](std::string name, Surroundings around = {}) -> Settings& {
    variants.push_back({std::move(name), plain, around});
    return variants.back().settings;
  };
  add("plain");
  add("ring", {.topology = "ring"});
  add("regular graph, a permutation of the rows", {.topology = "regular:4", .shards = "iid"});
  add("skewed shards", {.shards = "dirichlet:0.3"});
  add("four local steps").local_steps = {.mean = 4};
  add("geometric local steps", {.topology = "ring"}).local_steps = {.mean = 3, .geometric = true};
  add("deltas").merge = Merge::delta;
  {
    Settings& settings = add("deltas of geometric steps with momentum", {.shards = "dirichlet:1"});
    settings.merge = Merge::delta;
    settings.local_steps = {.mean = 3, .geometric = true};
    settings.sgd = {.weight_decay = 0.01F, .momentum = 0.5F};
  }
  add("momentum and decay").sgd = {.weight_decay = 0.01F, .momentum = 0.9F};
  add("gossip counter").schedule = {.shape = Schedule::Shape::inverse, .eta = 0.3F, .horizon = 20};
  {
    Settings& settings = add("own counter, unequal speeds");
    settings.schedule = {.shape = Schedule::Shape::inverse_sqrt, .eta = 0.3F, .horizon = 20};
    settings.clock = Clock::own;
    for (std::uint32_t k = 0; k < settings.agents; ++k) settings.speeds.push_back((k + 0.5) / 10);
  }
  add("batches of one").batch = 1;
  add("two agents").agents = 2;
  return variants;
}

TEST_CASE("a population's result does not depend on the number of workers") {
  const Problem softmax(DataSpec::parse(kBlobs), "softmax", 1);
  const Problem mlp(DataSpec::parse(kBlobs), "mlp:8", 1);
  for (const Variant& variant : population_variants()) {
    for (const std::string algorithm : {"popsgd", "adpsgd"}) {
      for (const Problem* problem : {&softmax, &mlp}) {
        CAPTURE(variant.name);
        CAPTURE(algorithm);
        CAPTURE(problem->model());
        const Result one =
            learn(algorithm, *problem, variant.settings, variant.around, 1100);  // more than one chunk
        for (const std::size_t workers : {2UL, 3UL, 5UL}) {
          Surroundings more = variant.around;
          more.workers = workers;
          CAPTURE(workers);
          REQUIRE(learn(algorithm, *problem, variant.settings, more, 1100) == one);
        }
      }
    }
  }
}

TEST_CASE("a quadratic's result does not depend on the number of workers") {
  const Problem problem(DataSpec::parse("least-squares:d=19,samples=1000"), "", 1);
  const Settings settings{.schedule = {.eta = 0.1F}, .agents = 20, .batch = 1};
  const Result one = learn("popsgd", problem, settings, {}, 1500);
  for (const std::size_t workers : {2UL, 3UL, 5UL}) {
    CAPTURE(workers);
    CHECK(learn("popsgd", problem, settings, {.workers = workers}, 1500) == one);
  }
}

TEST_CASE("a baseline's result does not depend on the number of workers") {
  const Problem softmax(DataSpec::parse(kBlobs), "softmax", 1);
  const Problem mlp(DataSpec::parse(kBlobs), "mlp:8", 1);
  for (const std::string& algorithm : kAll) {
    for (const float momentum : {0.0F, 0.5F}) {
      if (momentum > 0 && algorithm == "sgp") continue;
      Settings settings{.sgd = {.weight_decay = 0.01F, .momentum = momentum}, .agents = 11, .batch = 2};
      settings.schedule = {.shape = Schedule::Shape::inverse, .eta = 0.3F, .horizon = 20};
      settings.local_steps = {.mean = 2};
      for (const auto& around :
           {Surroundings{}, Surroundings{.topology = "ring", .shards = "dirichlet:0.5"}}) {
        for (const Problem* problem : {&softmax, &mlp}) {
          CAPTURE(algorithm);
          CAPTURE(around.topology);
          const Result one = learn(algorithm, *problem, settings, around, 200);
          for (const std::size_t workers : {2UL, 3UL, 5UL}) {
            Surroundings more = around;
            more.workers = workers;
            CAPTURE(workers);
            REQUIRE(learn(algorithm, *problem, settings, more, 200) == one);
          }
        }
      }
    }
  }
}

TEST_CASE("the seed alone decides a result") {
  const Problem problem(DataSpec::parse(kBlobs), "softmax", 1);
  for (const std::string& algorithm : kAll) {
    CAPTURE(algorithm);
    Settings settings{.agents = 6, .batch = 2};
    const Surroundings around{.topology = "ring", .shards = "iid"};
    const Result first = learn(algorithm, problem, settings, around, 50);
    CHECK(learn(algorithm, problem, settings, around, 50) == first);
    settings.seed = 2;
    CHECK(learn(algorithm, problem, settings, around, 50).models != first.models);
  }
}

TEST_CASE("a run cut in pieces is the run in one go") {
  const Problem problem(DataSpec::parse(kBlobs), "mlp:8", 1);
  const auto check = [&](const std::string& algorithm, const Settings& settings, const Surroundings& around) {
    CAPTURE(algorithm);
    const Result whole = learn(algorithm, problem, settings, around, 1200);
    Learner cut(algorithm, problem, settings, around);
    for (const std::uint64_t until : {0UL, 1UL, 2UL, 50UL, 50UL, 1073UL, 1200UL, 700UL})
      cut->run_until(until);
    CHECK(result_of(cut) == whole);
  };
  for (const Variant& variant : population_variants()) {
    CAPTURE(variant.name);
    check("popsgd", variant.settings, variant.around);
    check("adpsgd", variant.settings, {variant.around.topology, variant.around.shards, 2});
  }
  for (const std::string& algorithm : kAll) check(algorithm, {.agents = 6, .batch = 2}, {});
}

TEST_CASE("the one-pass interactions of quadratics are the general ones, to rounding") {
  const Problem problem(DataSpec::parse("least-squares:d=37,samples=1000"), "", 1);
  for (const std::string topology : {"complete", "ring"}) {
    Settings settings{.sgd = {.weight_decay = 0.05F}, .schedule = {.eta = 0.1F}, .agents = 10, .batch = 1};
    const Surroundings around{.topology = topology};
    const auto one_pass = learn("popsgd", problem, settings, around, 2000).models;
    // A schedule that is constant but does not look so takes the general way.
    settings.schedule.shape = Schedule::Shape::inverse;
    settings.schedule.horizon = 1e300;
    const auto general = learn("popsgd", problem, settings, around, 2000).models;
    CAPTURE(topology);
    float worst = 0;
    for (std::size_t k = 0; k < general.size(); ++k)
      worst = std::max(worst, std::fabs(one_pass[k] - general[k]));
    CHECK(worst < 1e-6F);
  }
}

TEST_CASE("without noise a quadratic follows its sequence of pairs and counters, recomputed in double") {
  constexpr std::uint32_t kAgents = 7;
  constexpr std::size_t kInteractions = 300;
  const Problem problem(DataSpec::parse("least-squares:d=5,noise=0,kappa=10,samples=2"), "", 1);
  const auto curvature = problem.quadratic()->curvature();
  Settings constant{.schedule = {.eta = 0.1F}, .agents = kAgents, .batch = 1};
  Settings gossip = constant;
  gossip.schedule = {.shape = Schedule::Shape::inverse, .eta = 0.1F, .horizon = 10};
  gossip.speeds = {0.1, 0.2, 0.3, 0.4, 1, 2, 3};
  Settings own = gossip;
  own.clock = Clock::own;
  Settings delta = constant;
  delta.merge = Merge::delta;
  for (const Settings& settings : {constant, gossip, own, delta}) {
    for (const std::string topology : {"complete", "ring"}) {
      Learner learner("popsgd", problem, settings, {.topology = topology});
      learner->run_until(kInteractions);
      std::vector<Pair> pairs(kInteractions);
      PairSequence(learner.topology(), settings.speeds, settings.seed).fill(0, pairs);
      CAPTURE(topology);
      for (std::size_t k = 0; k < curvature.size(); ++k) {
        std::vector<double> x(kAgents, 1 / std::sqrt(5.0));
        std::vector<double> snapshot = x;
        std::vector<double> steps(kAgents);
        const auto step = [&](std::uint32_t i) {
          const bool decays = settings.schedule.shape == Schedule::Shape::inverse;
          const double eta = decays ? 0.1 / (1 + steps[i] / 10) : 0.1;
          x[i] -= eta * static_cast<double>(curvature[k]) * x[i];
          ++steps[i];
        };
        for (const auto [i, j] : pairs) {
          step(i);
          step(j);
          if (settings.clock == Clock::gossip) steps[i] = steps[j] = (steps[i] + steps[j]) / 2;
          const auto& exchanged = settings.merge == Merge::delta ? snapshot : x;
          const double half = (exchanged[j] - exchanged[i]) / 2;
          x[i] += half;
          x[j] -= half;
          snapshot[i] = x[i];
          snapshot[j] = x[j];
        }
        for (std::uint32_t i = 0; i < kAgents; ++i) {
          REQUIRE(static_cast<double>(learner->model(i)[k]) == doctest::Approx(x[i]).epsilon(1e-5));
        }
      }
    }
  }
}

// For accounts: n = 6 on a ring (6 edges), H = 3, until what PopSGD spends in 20 interactions: 120 gradients.
TEST_CASE("accounts follow their definitions") {
  struct Expected {
    std::string algorithm;
    Account account;
  };
  const Problem problem(DataSpec::parse(kBlobs), "softmax", 1);
  const std::uint64_t model = problem.parameters() * sizeof(float);
  const Settings settings{.local_steps = {.mean = 3}, .agents = 6, .batch = 2};
  const std::vector<Expected> table{
      {"popsgd", {20, 120, 20 / 3.0, 20 * 2 * model}},        // both send their model
      {"adpsgd", {40, 120, 40 / 6.0, 40 * model}},            // one model is read
      {"sgd", {0, 120, 120 / 3.0, 0}},                        // an agent alone, 3 gradients a unit of time
      {"minibatch", {0, 120, 20 / 3.0, 20 * 2 * 5 * model}},  // 2 (n - 1) models a round of n gradients
      {"fedavg",
       {0, 126, 7, 7 * 2 * 6 * model}},           // n models to the server and back, 7 rounds of 18 gradients
      {"dpsgd", {0, 126, 7, 7 * 2 * 6 * model}},  // over every edge both ways
      {"sgp", {0, 120, 20 / 3.0, 20 * 2 * 6 * model}},  // over every edge both ways
      {"local", {0, 126, 7, 0}},
  };
  for (const Expected& expected : table) {
    CAPTURE(expected.algorithm);
    Learner learner(expected.algorithm, problem, settings, {.topology = "ring"});
    CHECK(learner->account().gradient_evaluations == 0);
    CHECK(learner->account().parallel_time == 0);
    learner->run_until(20);
    const Account account = learner->account();
    CHECK(account.interactions == expected.account.interactions);
    CHECK(account.gradient_evaluations == expected.account.gradient_evaluations);
    CHECK(account.parallel_time == doctest::Approx(expected.account.parallel_time));
    CHECK(account.bytes == expected.account.bytes);
    CHECK(!learner->diverged_at());
  }
}

TEST_CASE("geometric local steps are counted as drawn: mean H, variance H (H - 1) (false alarms: 1e-6)") {
  const Problem problem(DataSpec::parse("noise:d=1,samples=10"), "", 1);
  constexpr std::uint64_t kInteractions = 20'000;
  for (const std::uint32_t mean : {2U, 5U}) {
    const Settings settings{
        .local_steps = {.mean = mean, .geometric = true}, .agents = 6, .batch = 1, .seed = 11};
    Learner learner("popsgd", problem, settings);
    learner->run_until(kInteractions);
    const double draws = 2.0 * kInteractions;
    const double drawn = static_cast<double>(learner->account().gradient_evaluations) / draws;
    CAPTURE(settings.seed);
    CAPTURE(drawn);
    CHECK(std::fabs(drawn - mean) < popsgd::test::kFiveSigma * std::sqrt(mean * (mean - 1.0) / draws));
  }
}

TEST_CASE("D-PSGD on the complete graph is FedAvg with the same local steps") {
  const Problem problem(DataSpec::parse(kBlobs), "softmax", 1);
  for (const std::uint32_t steps : {1U, 3U}) {
    const Settings settings{.local_steps = {.mean = steps}, .agents = 7, .batch = 2};
    const Surroundings around{.shards = "dirichlet:0.5"};
    CHECK(learn("dpsgd", problem, settings, around, 100) == learn("fedavg", problem, settings, around, 100));
  }
}

TEST_CASE("FedAvg with one local step is mini-batch SGD, to rounding") {
  const Problem problem(DataSpec::parse(kBlobs), "softmax", 1);
  const Settings settings{.sgd = {.weight_decay = 0.01F}, .agents = 7, .batch = 2};
  Learner fedavg("fedavg", problem, settings, {.shards = "iid"});
  Learner minibatch("minibatch", problem, settings, {.shards = "iid"});
  fedavg->run_until(200);
  minibatch->run_until(200);
  REQUIRE(minibatch->models() == 1);
  for (std::size_t k = 0; k < problem.parameters(); ++k) {
    CHECK(std::fabs(fedavg->model(3)[k] - minibatch->model(0)[k]) < 1e-5F);
  }
}

TEST_CASE("the centralised algorithms with one agent are the same SGD") {
  const Problem problem(DataSpec::parse(kBlobs), "softmax", 1);
  const Settings settings{.sgd = {.weight_decay = 0.01F, .momentum = 0.5F}, .agents = 2, .batch = 2};
  Settings alone = settings;
  alone.agents = 1;
  // Topologies start at two agents; minibatch and sgd do not look at theirs.
  const auto topology = popsgd::sim::Topology::make("complete", 2, 1);
  const auto shards = popsgd::sim::Shards::make("shared", problem.train(), 1, 1);
  popsgd::sim::Workers workers(1);
  const auto sgd = make_algorithm("sgd", problem, alone, topology, shards, workers);
  const auto minibatch = make_algorithm("minibatch", problem, alone, topology, shards, workers);
  sgd->run_until(40);
  minibatch->run_until(40);
  for (std::size_t k = 0; k < problem.parameters(); ++k) {
    CHECK(std::fabs(sgd->model(0)[k] - minibatch->model(0)[k]) < 1e-5F);
  }
}

TEST_CASE("agents alone never hear of one another") {
  const Problem problem(DataSpec::parse(kBlobs), "softmax", 1);
  const Settings settings{.agents = 3, .batch = 2};
  Learner learner("local", problem, settings);
  learner->run_until(30);
  // Agent 1's steps again, by hand, from the batches it drew.
  Sampler sampler(problem, learner.shards(), settings.batch, problem.gradient(settings.batch).scratch,
                  Sampler::training(settings.seed));
  std::vector<float> x(problem.parameters());
  problem.initialise(x);
  for (std::uint64_t round = 0; round < 20; ++round) {
    const auto& batch = sampler.draw(1, round * settings.agents + 1, 0, 0);
    (void)settings.sgd.step(problem.gradient(settings.batch), batch, settings.schedule.eta, x, {},
                            sampler.scratch());
  }
  CHECK(std::equal(x.begin(), x.end(), learner->model(1).begin()));
}

// Ten rounds of steps, then averaging alone: what each agent tends to is the mean of what all have learned.
TEST_CASE("synchronous gossip keeps the sum of all updates") {
  const Problem problem(DataSpec::parse("noise:d=4,samples=1000"), "", 1);
  constexpr std::uint32_t kAgents = 9;
  Settings settings{.agents = kAgents, .batch = 1};
  settings.schedule = {.shape = Schedule::Shape::piecewise, .eta = 0.5F, .breakpoint_count = 1};
  settings.schedule.breakpoints[0] = {10, 0};
  for (const std::string algorithm : {"sgp", "dpsgd", "fedavg"}) {
    for (const std::string topology : {"complete", "ring"}) {
      Learner learner(algorithm, problem, settings, {.topology = topology});
      learner->run_until(400 * kAgents / 2);
      Sampler sampler(problem, learner.shards(), 1, 0, Sampler::training(settings.seed));
      std::vector<double> mean(problem.parameters());  // the gradient is -c
      for (std::uint64_t draw = 0; draw < 10 * kAgents; ++draw) {
        const auto& batch = sampler.draw(static_cast<std::uint32_t>(draw % kAgents), draw, 0, 0);
        for (std::size_t k = 0; k < mean.size(); ++k)
          mean[k] += 0.5 * static_cast<double>(batch.features[k]) / kAgents;
      }
      CAPTURE(algorithm);
      CAPTURE(topology);
      for (std::uint32_t i = 0; i < kAgents; ++i) {
        for (std::size_t k = 0; k < mean.size(); ++k) {
          REQUIRE(std::fabs(static_cast<double>(learner->model(i)[k]) - mean[k]) < 2e-5);
        }
      }
    }
  }
}

TEST_CASE("D-PSGD on a graph mixes with Metropolis weights") {
  // One round without noise but with unequal models is out of reach from equal starts, so: two rounds of
  // noise, the second checked against x <- W (x + eta c) in double.
  const Problem problem(DataSpec::parse("noise:d=3,samples=1000"), "", 1);
  const Settings settings{.schedule = {.eta = 0.5F}, .agents = 8, .batch = 1};
  Learner learner("dpsgd", problem, settings, {.topology = "small-world:4,0.5"});
  const auto& topology = learner.topology();
  learner->run_until(4);  // one round: 8 gradients
  const std::vector<float> before = learner.models();
  learner->run_until(8);
  Sampler sampler(problem, learner.shards(), 1, 0, Sampler::training(settings.seed));
  std::vector<double> stepped(before.begin(), before.end());
  for (std::uint32_t i = 0; i < 8; ++i) {
    const auto& batch = sampler.draw(i, 8 + i, 0, 0);
    for (std::size_t k = 0; k < 3; ++k) stepped[i * 3 + k] += 0.5 * static_cast<double>(batch.features[k]);
  }
  for (std::uint32_t i = 0; i < 8; ++i) {
    for (std::size_t k = 0; k < 3; ++k) {
      double mixed = stepped[i * 3 + k];
      for (const std::uint32_t j : topology.neighbours(i)) {
        const auto degree = std::max(topology.neighbours(i).size(), topology.neighbours(j).size());
        mixed += (stepped[j * 3 + k] - stepped[i * 3 + k]) / static_cast<double>(1 + degree);
      }
      REQUIRE(std::fabs(static_cast<double>(learner->model(i)[k]) - mixed) < 1e-6);
    }
  }
}

TEST_CASE("a divergence is reported with its interaction, for any number of workers, and ends the run") {
  const Problem problem(DataSpec::parse(kBlobs), "mlp:8", 1);
  const Settings settings{.schedule = {.eta = 1e10F}, .agents = 20, .batch = 2};
  for (const std::string algorithm : {"popsgd", "adpsgd"}) {
    CAPTURE(algorithm);
    Learner learner(algorithm, problem, settings);
    learner->run_until(5000);
    REQUIRE(learner->diverged_at());
    const std::uint64_t at = *learner->diverged_at();
    CHECK(learner->account().interactions < 5000);
    const auto spent = learner->account().gradient_evaluations;
    learner->run_until(10'000);
    CHECK(learner->account().gradient_evaluations == spent);
    Learner parallel(algorithm, problem, settings, {.workers = 3});
    parallel->run_until(5000);
    CHECK(parallel->diverged_at() == at);
    // One exchange at a time.
    Learner single(algorithm, problem, settings);
    std::uint64_t until = 0;
    while (!single->diverged_at()) single->run_until(++until);
    CHECK(single->diverged_at() == at);
    CHECK(until == (algorithm == "popsgd" ? at : (at + 1) / 2));
  }
}

TEST_CASE("every algorithm notices a divergence and stops") {
  const Problem problem(DataSpec::parse(kBlobs), "mlp:8", 1);
  for (const std::string& algorithm : kAll) {
    CAPTURE(algorithm);
    Learner learner(algorithm, problem, {.schedule = {.eta = 1e10F}, .agents = 6, .batch = 2});
    learner->run_until(100'000);
    REQUIRE(learner->diverged_at());
    CHECK(*learner->diverged_at() >= 1);
    CHECK(learner->account().gradient_evaluations < 10'000);
  }
}

TEST_CASE("a quadratic's divergence is reported too") {
  const Problem problem(DataSpec::parse("least-squares:d=32,samples=100"), "", 1);
  Learner learner("popsgd", problem, {.schedule = {.eta = 100}, .agents = 6, .batch = 1});
  learner->run_until(1'000'000);
  REQUIRE(learner->diverged_at());
  CHECK(learner->account().interactions < 10'000);
}

TEST_CASE("make_algorithm() refuses what it cannot honour, and says what would be right") {
  const Problem problem(DataSpec::parse(kBlobs), "softmax", 1);
  CHECK_THROWS_AS(Learner("popsgf", problem, Settings{}), popsgd::sim::Error);
  CHECK_THROWS_WITH_AS(Learner("popsgf", problem, Settings{}), doctest::Contains("did you mean 'popsgd'"),
                       popsgd::sim::Error);
  CHECK_THROWS_AS(Learner("sgp", problem, Settings{.sgd = {.momentum = 0.5F}}), popsgd::sim::Error);
}

TEST_CASE("an MLP on clouds of points is right on more than 95% of the rows it has not seen") {
  const Problem problem(DataSpec::parse("blobs:d=8,classes=4,samples=2000,separation=5"), "mlp:16", 3);
  for (const std::string shards : {"iid", "dirichlet:0.3"}) {
    Learner learner("popsgd", problem, {.agents = 8, .batch = 8, .seed = 3}, {.shards = shards});
    learner->run_until(2000);
    std::vector<float> mean(problem.parameters());
    const auto mu = learner.mean();
    std::transform(mu.begin(), mu.end(), mean.begin(), [](double x) { return static_cast<float>(x); });
    std::vector<float> scratch(problem.score_scratch());
    const auto score = problem.score(mean, problem.test().rows, scratch);
    CAPTURE(shards);
    CHECK(score.accuracy > 0.95);
  }
}

}  // namespace
