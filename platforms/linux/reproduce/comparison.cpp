// PopSGD beside its alternatives: same data, same batches' size, same number of gradients.
#include "format.h"
#include "reproduce/claim.h"

#include <popsgd/sim/experiment.h>

#include <algorithm>
#include <cmath>

namespace popsgd::command {
namespace {

struct Entry {
  const char* label;
  const char* algorithm;
  const char* topology;
  sim::Merge merge;
  std::uint32_t local_steps;
};

constexpr Entry kEntries[] = {
    {"PopSGD", "popsgd", "complete", sim::Merge::average, 1},
    {"PopSGD, non-blocking", "popsgd", "complete", sim::Merge::delta, 1},
    {"PopSGD, ring", "popsgd", "ring", sim::Merge::average, 1},
    {"all-reduce (mini-batch of n)", "minibatch", "complete", sim::Merge::average, 1},
    {"central SGD", "sgd", "complete", sim::Merge::average, 1},
    {"D-PSGD, ring", "dpsgd", "ring", sim::Merge::average, 1},
    {"D-PSGD, complete", "dpsgd", "complete", sim::Merge::average, 1},
    {"one-sided (AD-PSGD-like)", "adpsgd", "complete", sim::Merge::average, 1},
    {"SGP", "sgp", "complete", sim::Merge::average, 1},
    {"FedAvg, 8 local steps", "fedavg", "complete", sim::Merge::average, 8},
    {"local only", "local", "complete", sim::Merge::average, 1},
};

struct Setting {
  std::string data;
  std::string model;
  std::uint32_t agents;
  std::uint64_t steps;  // an agent
};

Setting choose(const Effort& effort) {
  if (!sim::fashion_mnist_available())
    return {"blobs:d=16,classes=10,samples=20000,spread=1.5", "mlp:32", 16, effort.quick ? 400U : 4000U};
  return effort.quick ? Setting{"fashion-mnist", "mlp:32", 8, 500}
                      : Setting{"fashion-mnist", "mlp:64", 8, 4000};
}

sim::Measurement result_of(const Entry& entry, const Setting& setting, const sim::Problem& problem,
                           const std::string& shards_name, const Effort& effort) {
  sim::Settings settings{.merge = entry.merge, .agents = setting.agents, .batch = 16, .seed = effort.seed};
  settings.schedule.eta = 0.2F;
  settings.local_steps.mean = entry.local_steps;
  const auto topology = sim::Topology::make(entry.topology, setting.agents, effort.seed);
  const auto shards = sim::Shards::make(shards_name, problem.train(), setting.agents, effort.seed);
  const std::uint64_t interactions = setting.steps * setting.agents / 2 / entry.local_steps;
  const auto outcome = sim::run({.problem = problem,
                                 .settings = settings,
                                 .topology = topology,
                                 .shards = shards,
                                 .algorithm = entry.algorithm,
                                 .interactions = interactions},
                                effort.workers);
  return outcome.measurements.back();
}

}  // namespace

Finding test_comparison(const Effort& effort) {
  const Setting setting = choose(effort);
  const sim::Problem problem(sim::DataSpec::parse(setting.data), setting.model, effort.seed);
  Finding finding;
  finding.holds = true;
  const double tolerance = effort.quick ? 0.03 : 0.02;  // a short run is further from where all of them end
  std::size_t done = 0;
  for (const std::string shards : {"iid", "dirichlet:0.1"}) {
    Table table{
        .title = "Test accuracy, shards " + shards,
        .columns = {"algorithm", "mean model", "median agent", "worst agent", "gradients", "exchanged"},
        .rows = {},
        .note = setting.data + ", " + problem.model() + ", n = " + std::to_string(setting.agents) + ", " +
                thousands(setting.steps) + " steps an agent, batch 16, step size 0.2"};
    double popsgd = 0;
    double all_reduce = 0;
    double local = 0;
    for (const Entry& entry : kEntries) {
      const auto m = result_of(entry, setting, problem, shards, effort);
      const std::string name = entry.algorithm;
      if (entry.label == std::string("PopSGD")) popsgd = m.mean_model.accuracy;
      if (name == "minibatch") all_reduce = m.mean_model.accuracy;
      if (name == "local") local = m.agent_accuracy.median;
      const bool one = m.agents.size() < 2;
      table.rows.push_back(
          {entry.label, percent(m.mean_model.accuracy, 2), one ? "" : percent(m.agent_accuracy.median, 2),
           one ? "" : percent(m.agent_accuracy.min, 2), thousands(m.account.gradient_evaluations),
           bytes(static_cast<double>(m.account.bytes))});
      effort.progress(static_cast<double>(++done) / (2.0 * std::size(kEntries)));
    }
    finding.holds = finding.holds && popsgd >= all_reduce - tolerance && popsgd > local;
    finding.verdict += (finding.verdict.empty() ? "" : "; ") + shards + ": PopSGD's mean model " +
                       percent(popsgd, 2) + ", all-reduce " + percent(all_reduce, 2) +
                       ", an agent by itself " + percent(local, 2);
    finding.tables.push_back(std::move(table));
  }
  finding.verdict += " (PopSGD within " + percent(tolerance, 0) + " of all-reduce, and above a lone agent)";
  return finding;
}

}  // namespace popsgd::command
