// A tenth of the agents lies, in each of the ways that aim at the model: what the others still learn.
#include "format.h"
#include "reproduce/claim.h"

#include <popsgd/sim/data_source.h>
#include <popsgd/sim/network.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>

namespace popsgd::command {
namespace {

using sim::Lie;

constexpr std::uint32_t kAgents = 20;
constexpr double kFraction = 0.1;
constexpr std::uint64_t kSlice = 50;  // exchanges between two looks at how many steps have been taken

// The accuracy after all steps is that of one moment: on skewed data another, a few steps later, may be a point away. So it is
// the mean over looks around it; and what the gate costs, from runs in pairs, is the mean over the second half.
constexpr int kLooks = 11;
constexpr int kLast = 5;

// When, in parts of all steps: 0.5, 0.575 to 0.875, then 0.95 to 1.05.
double moment(int look) {
  const int last = look - (kLooks - kLast);
  return last < 0 ? 0.5 + 0.075 * look : 0.95 + 0.025 * last;
}

struct Setting {
  std::string data;
  std::string model;
  double steps;       // an honest agent
  std::size_t seeds;  // of agents that block, of each attack and each pair with and without the gate
};

Setting choose(const Effort& effort) {
  if (!sim::fashion_mnist_available())
    return {"blobs:d=16,classes=10,samples=20000,spread=1.5", "mlp:32", effort.quick ? 200.0 : 2000.0, 2};
  return effort.quick ? Setting{"fashion-mnist", "mlp:16", 200, 2}
                      : Setting{"fashion-mnist", "mlp:64", 2000, 6};
}

// One swarm to train: what is done to it, and what comes out.
struct Case {
  std::optional<Lie> lie{};
  sim::Merge merge = sim::Merge::average;
  bool gate = true;
  std::string shards{};
  std::uint64_t seed = 0;
  double accuracy = 0;  // of the honest agents' mean model: the last looks
  double late = 0;      // and all of them
  double refused = 0;   // of the blocks that reached an honest agent
};

void train(Case& c, const Setting& setting, const sim::Problem& problem) {
  sim::Settings settings{.merge = c.merge, .agents = kAgents, .batch = 16, .seed = c.seed};
  settings.schedule.eta = 0.2F;
  sim::NetworkSettings network{.link = {.mtu = 65'535, .reliable = true}, .gate = c.gate};
  if (c.lie) network.byzantine = {.kind = *c.lie, .fraction = kFraction};
  const auto topology = sim::Topology::make("complete", kAgents, c.seed);
  const auto shards = sim::Shards::make(c.shards, problem.train(), kAgents, c.seed);
  const auto swarm = sim::make_network(problem, settings, topology, shards, network);
  std::vector<float> scratch(problem.score_scratch());
  std::uint64_t done = 0;
  for (int look = 0; look < kLooks; ++look) {
    const double until = setting.steps * moment(look);
    while (swarm->account().parallel_time < until && !swarm->diverged_at()) swarm->run_until(done += kSlice);
    const std::vector<double> mean = mean_of_models(*swarm);
    const std::vector<float> model(mean.begin(), mean.end());
    const double accuracy = problem.score(model, problem.test().rows, scratch).accuracy;
    c.late += accuracy / kLooks;
    if (look >= kLooks - kLast) c.accuracy += accuracy / kLast;
  }
  const sim::NetworkTotals totals = swarm->totals();
  std::uint64_t blocks = 0;
  for (const std::uint64_t refused : totals.refused) blocks += refused;
  c.refused = static_cast<double>(blocks) / static_cast<double>(std::max<std::uint64_t>(1, totals.begun));
}

constexpr Lie kAboutTheModel[] = {Lie::nan, Lie::huge, Lie::random, Lie::sign_flip, Lie::frozen, Lie::drift};
constexpr sim::Merge kMerges[] = {sim::Merge::average, sim::Merge::delta};

std::vector<Case> all_cases(const std::string& shards, const Setting& setting, std::uint64_t seed) {
  std::vector<Case> cases;
  for (const sim::Merge merge : kMerges) {
    const std::size_t seeds = merge == sim::Merge::average ? setting.seeds : 2;
    for (std::size_t k = 0; k < seeds; ++k) {  // in pairs: with the gate, without
      cases.push_back({.merge = merge, .gate = true, .shards = shards, .seed = seed + k});
      cases.push_back({.merge = merge, .gate = false, .shards = shards, .seed = seed + k});
    }
    for (const Lie lie : kAboutTheModel) {
      for (std::size_t k = 0; k < seeds; ++k)
        cases.push_back({.lie = lie, .merge = merge, .shards = shards, .seed = seed + k});
    }
  }
  // What the attack that is hardest to see does to those who do not look.
  cases.push_back({.lie = Lie::drift, .gate = false, .shards = shards, .seed = seed});
  return cases;
}

// Mean of what the gate takes from the accuracy, over the pairs, and its standard error.
struct Cost {
  double mean = 0;
  double error = 0;
};

Cost cost_of_the_gate(const std::vector<Case>& cases, sim::Merge merge) {
  std::vector<double> costs;
  for (std::size_t k = 0; k + 1 < cases.size(); ++k) {
    const bool pair = !cases[k].lie && cases[k].gate && !cases[k + 1].lie && !cases[k + 1].gate;
    if (pair && cases[k].merge == merge) costs.push_back(cases[k + 1].late - cases[k].late);
  }
  Cost cost;
  const auto n = static_cast<double>(costs.size());
  for (const double c : costs) cost.mean += c / n;
  for (const double c : costs) cost.error += (c - cost.mean) * (c - cost.mean) / (n * (n - 1));
  cost.error = std::sqrt(cost.error);
  return cost;
}

Table table_of(const std::vector<Case>& cases, const Setting& setting, const std::string& model) {
  Table table{.title = "Test accuracy of the honest agents' mean model, shards " + cases.front().shards,
              .columns = {"attack", "merge", "gate", "seed", "mean model", "second half", "refused"},
              .rows = {},
              .note = setting.data + ", " + model + ", " + std::to_string(kAgents) +
                      " agents, 10% of them Byzantine, " + fixed(setting.steps, 0) +
                      " steps an honest agent, batch 16, step size 0.2; mean model: over five looks from "
                      "0.95 to 1.05 times as many, second half: over eleven; "
                      "refused: share of the exchanges of an "
                      "honest agent"};
  for (const Case& c : cases) {
    table.rows.push_back({c.lie ? std::string(sim::text(*c.lie)) : "none",
                          c.merge == sim::Merge::average ? "average" : "delta", c.gate ? "yes" : "no",
                          std::to_string(c.seed), percent(c.accuracy, 2), percent(c.late, 2),
                          percent(c.refused)});
  }
  return table;
}

struct Worst {
  Lie lie = Lie::nan;
  double accuracy = 2;
};

// Mean accuracy of agents with a gate, over the seeds.
double accuracy_under(std::optional<Lie> lie, const std::vector<Case>& cases, sim::Merge merge) {
  double sum = 0;
  double runs = 0;
  for (const Case& c : cases) {
    if (c.lie != lie || !c.gate || c.merge != merge) continue;
    sum += c.accuracy;
    ++runs;
  }
  return sum / runs;
}

// The attack under which they learn least.
Worst worst_attack(const std::vector<Case>& cases, sim::Merge merge) {
  Worst worst;
  for (const Lie lie : kAboutTheModel) {
    const double accuracy = accuracy_under(lie, cases, merge);
    if (accuracy < worst.accuracy) worst = {lie, accuracy};
  }
  return worst;
}

// What is asked of every attack. Of a small run, which ends while a frozen model is hardly further away than others: 5
// points below the one without attackers.
double least_accuracy(const std::vector<Case>& cases, const Setting& setting) {
  if (setting.steps == 2000 && setting.data == "fashion-mnist")
    return cases.front().shards == "iid" ? 0.848 : 0.835;
  return accuracy_under({}, cases, sim::Merge::average) - 0.05;
}

// What is claimed is claimed of agents that block, PopSGD's own averaging. Those that do not are further from each other. Two
// pairs of runs do not tell what the gate costs.
void judge(const std::vector<Case>& cases, const Setting& setting, Finding& finding) {
  const double least = least_accuracy(cases, setting);
  const Worst blocking = worst_attack(cases, sim::Merge::average);
  const Worst other = worst_attack(cases, sim::Merge::delta);
  const double honest = accuracy_under({}, cases, sim::Merge::average);
  const Cost cost = cost_of_the_gate(cases, sim::Merge::average);
  const Cost other_cost = cost_of_the_gate(cases, sim::Merge::delta);
  constexpr double kMostCost = 0.001;
  const bool judged = setting.seeds > 2;
  const bool cheap = !judged || cost.mean - 2 * cost.error <= kMostCost;
  finding.holds = finding.holds && blocking.accuracy >= least && cheap;
  finding.verdict +=
      (finding.verdict.empty() ? "" : "; ") + cases.front().shards + ": worst under attack " +
      percent(blocking.accuracy, 2) + " (" + std::string(sim::text(blocking.lie)) + "; at least " +
      percent(least, 2) + "), without attackers " + percent(honest, 2) + ", non-blocking " +
      percent(other.accuracy, 2) + " (" + std::string(sim::text(other.lie)) +
      "; nothing claimed), the gate costs " + fixed(100 * cost.mean, 2) + " +- " +
      fixed(100 * cost.error, 2) + " points without attackers (" +
      (judged ? "at most 0.1, within 2 standard errors" : "judged by the full run only") +
      "), non-blocking " + fixed(100 * other_cost.mean, 2) + " +- " + fixed(100 * other_cost.error, 2);
}

}  // namespace

Finding test_byzantine(const Effort& effort) {
  const Setting setting = choose(effort);
  const sim::Problem problem(sim::DataSpec::parse(setting.data), setting.model, effort.seed);
  Finding finding{.tables = {}, .plots = {}, .holds = true, .verdict = {}};
  std::atomic<std::size_t> done = 0;
  for (const std::string shards : {"iid", "dirichlet:0.1"}) {
    std::vector<Case> cases = all_cases(shards, setting, effort.seed);
    effort.workers.for_each(cases.size(), [&](std::size_t worker, std::size_t k) {
      train(cases[k], setting, problem);
      ++done;
      if (worker == 0) effort.progress(static_cast<double>(done) / (2.0 * static_cast<double>(cases.size())));
    });
    finding.tables.push_back(table_of(cases, setting, problem.model()));
    judge(cases, setting, finding);
  }
  return finding;
}

}  // namespace popsgd::command
