#include "simulate.h"

#include "format.h"
#include "learning.h"
#include "output/atomic_file.h"
#include "progress.h"
#include "results.h"

#include <popsgd/sim/data_source.h>
#include <popsgd/sim/error.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <thread>

#include <CLI/CLI.hpp>

namespace popsgd::command {
namespace {

constexpr const char* kSimulateExamples = R"(
Examples:
  popsgd simulate --out report
      32 agents learn Fashion-MNIST (Debian: apt-get install dataset-fashion-mnist), or two
      clouds of points where it is not installed; report/report.html shows how.
  popsgd simulate --model softmax --agents 64 --batch 8 --interactions 100000
  popsgd simulate --shards dirichlet:0.1 --topology ring --local-steps geometric:4 --lr 0.2
  popsgd simulate --data least-squares:d=32,noise=1 --agents 1000 --batch 1 --lr 0.05 --json
  popsgd simulate --data my.csv:label=species --model mlp:128,64 --schedule inverse-sqrt:500
  popsgd simulate --algorithm dpsgd --topology ring --out dpsgd
  popsgd simulate --quantize 4 --numeric float32:24,int16:8 --out four-bits
  popsgd simulate --schedule piecewise:1000=0 --settle 1e-6 --interactions 17000 --out settled
  popsgd simulate --engine network --link loss=0.1,delay=20,jitter=40 --out lossy
  popsgd simulate --engine network --numeric float32:24,int16:8 --quantize 4 --out devices
  popsgd simulate --engine network --contacts mobile:degree=4,speed=0.01 --out walkers
  popsgd simulate --engine network --privacy-noise 40 --privacy-clip 0.1 --privacy-epsilon 4
  popsgd simulate --engine network --byzantine sign-flip:0.1 --agents 20 --interactions 4000

Data:      fashion-mnist, least-squares, logistic, blobs, noise; a folder with MNIST's four IDX
           files, a .csv or a .npy file. Options follow a colon: blobs:classes=4,d=8
Schedules: constant, inverse:HORIZON, inverse-sqrt:HORIZON, piecewise:STEPS=FACTOR,...
Graphs:    complete, ring, torus, regular:R, small-world:K,P, geometric:DEGREE, edges:FILE
Shards:    shared, iid, dirichlet:ALPHA, labels:K
Links:     loss, duplicate, corrupt, truncate (probabilities a frame), sever (an exchange: one half is
           lost), delay, jitter (ms), bandwidth (bit/s), mtu (bytes), reliable=1; e.g. loss=0.1,delay=20
Contacts:  always, split:parts=2,every=60,lasting=20 (s), on-off:up=30,down=30 (mean s),
           mobile:degree=4,speed=0.01 (others in reach, sides of the torus a second)
Crashes:   rate (probability each time an agent is called), down (s until it is back), save (s
           between checkpoints; 0: it starts from nothing); e.g. rate=1e-4,save=0
Byzantine: about the model: nan, huge, random, sign-flip, frozen, drift; about the protocol:
           replay, slow-loris, busy, malformed
Exit:      0 done, 1 the run diverged or broke an invariant, 2 the request cannot be carried out)";

std::string topology_or_default(const SimulateOptions& options) {
  if (!options.topology.empty()) return options.topology;
  return options.algorithm == "dpsgd" && options.agents > 2 ? "ring" : "complete";
}

std::size_t threads_or_default(std::int64_t threads) {
  return threads > 0 ? static_cast<std::size_t>(threads) : std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

void declare_simulate(CLI::App& app, SimulateOptions& o) {
  app.footer(kSimulateExamples);
  declare_learning(app, o);
  app.add_option("--agents", o.agents, "How many agents")->capture_default_str();
  app.add_option("--interactions", o.interactions,
                 "How many meetings of two; other algorithms spend as many gradients")
      ->capture_default_str();
  app.add_option("--local-steps", o.local_steps, "Steps between two meetings: N, or geometric:N")
      ->capture_default_str();
  app.add_option("--merge", o.merge, "average, or delta (non-blocking: opposite deltas of snapshots)")
      ->capture_default_str();
  app.add_option("--quantize", o.quantise,
                 "popsgd, both engines: what is sent of a model: auto, raw, or bits from 2 to 16 [3:rotate]")
      ->type_name("CODE");
  app.add_option(
         "--numeric", o.numeric,
         "popsgd, both engines: what agents learn in: float32, int16, int8, or a mix: float32:24,int16:8")
      ->capture_default_str();
  app.add_option("--settle", o.settle,
                 "popsgd, both engines: below this step size agents go on averaging without stepping")
      ->capture_default_str();
  app.add_option("--topology", o.topology, "Who can meet whom [complete]");
  app.add_option("--speeds", o.speeds, "Clock rates: equal, uniform:R (spread over 1:R), two:R,FRACTION")
      ->capture_default_str();
  app.add_option("--shards", o.shards,
                 "How the rows are dealt out [iid, or shared for least-squares and noise]");
  app.add_option("--algorithm", o.algorithm, "popsgd, sgd, minibatch, fedavg, dpsgd, adpsgd, sgp, local")
      ->capture_default_str();
  app.add_option("--engine", o.engine,
                 "population (pairs average in one go) or network (agents exchange frames)")
      ->capture_default_str();
  app.add_option("--link", o.link, "network: what links do to frames, e.g. loss=0.1 [delay=10,mtu=1200]")
      ->type_name("SPEC");
  app.add_option("--contacts", o.contacts, "network: when links are open: always, split, on-off or mobile")
      ->capture_default_str()
      ->type_name("SPEC");
  app.add_option("--crash", o.crash,
                 "network: power fails, e.g. rate=1e-4 each time an agent is called [down=10,save=60 s]")
      ->type_name("SPEC");
  app.add_option("--block-length", o.block_length,
                 "network: parameters in a block, applied on both sides or on neither; 0: the whole model")
      ->capture_default_str();
  app.add_option("--byzantine", o.byzantine,
                 "network: how many agents lie and how, e.g. sign-flip:0.1; only the others are measured")
      ->type_name("KIND:FRACTION");
  declare_privacy(app, o.privacy);
  app.add_option("--mean-wait", o.mean_wait, "network: virtual ms between two offers of an agent")
      ->capture_default_str();
  app.add_flag("--no-gate", o.no_gate, "network: agents average with partners however far away");
  app.add_flag("--check-invariants", o.check_invariants, "network: check the protocol after every event");
  app.add_option("--threads", o.threads, "Threads; the result does not depend on it [one a core]");
  app.add_option("--eval-every", o.eval_every, "Interactions between measurements [a fortieth of the run]");
  app.add_option("--out", o.out, "Folder for summary.json, metrics.csv and report.html")->type_name("DIR");
  app.add_flag("--json", o.json, "Print the summary as JSON");
}

int simulate(const SimulateOptions& options) {
  const sim::Settings settings = settings_from(options);
  const std::optional<sim::NetworkSettings> network = network_from(options);
  if (!options.out.empty()) prepare_output_directory(options.out);
  const std::string data = data_or_default(options.data);
  const sim::Problem problem(sim::DataSpec::parse(data), model_or_default(options, data), settings.seed);
  const auto topology = sim::Topology::make(topology_or_default(options), settings.agents, settings.seed);
  const std::string shards_name = shards_or_default(options, problem);
  const auto shards = sim::Shards::make(shards_name, problem.train(), settings.agents, settings.seed);
  sim::Workers workers(threads_or_default(options.threads));

  const auto interactions = static_cast<std::uint64_t>(options.interactions);
  const std::uint64_t every = options.eval_every > 0 ? static_cast<std::uint64_t>(options.eval_every)
                                                     : std::max<std::uint64_t>(1, interactions / 40);
  sim::Outcome outcome;
  {
    ProgressLine progress("interactions", interactions);
    outcome = sim::run({.problem = problem,
                        .settings = settings,
                        .topology = topology,
                        .shards = shards,
                        .algorithm = options.algorithm,
                        .interactions = interactions,
                        .measure_every = every,
                        .network = network ? &*network : nullptr},
                       workers, [&](std::uint64_t done) { progress.show(done); });
  }
  const Run run{.command = options.command,
                .data = data,
                .model = problem.model(),
                .topology = topology.name(),
                .shards = shards_name,
                .algorithm = options.algorithm,
                .engine = options.engine,
                .link = options.link,
                .contacts = options.contacts,
                .settings = settings,
                .parameters = problem.parameters(),
                .threads = workers.count(),
                .outcome = outcome};
  if (!options.out.empty()) write_results(run, options.out);
  std::fputs((options.json ? summary_json(run) : summary_text(run)).c_str(), stdout);
  if (!options.json && !options.out.empty())
    std::printf("  report      %s/report.html\n", options.out.c_str());
  if (outcome.network && outcome.network->violations > 0) {
    std::fprintf(stderr, "popsgd: %s violations of the protocol's invariants, the first: %s (--seed %lld)\n",
                 thousands(outcome.network->violations).c_str(), outcome.network->first_violation.c_str(),
                 static_cast<long long>(options.seed));
    return 1;
  }
  if (!outcome.diverged_at) return 0;
  std::fprintf(stderr,
               "popsgd: the loss stopped being finite at interaction %s; try a smaller --lr than %s\n",
               thousands(*outcome.diverged_at).c_str(), significant(options.lr).c_str());
  return 1;
}

}  // namespace popsgd::command
