// Agents that learn in integers beside agents that learn in floats, and swarms of both.
#include "format.h"
#include "reproduce/checkpoints.h"
#include "reproduce/claim.h"

#include <popsgd/sim/data_source.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <memory>

namespace popsgd::command {
namespace {

constexpr double kNothingClaimed = std::numeric_limits<double>::infinity();

// What the agents compute in, and what may be lost by it.
struct Kind {
  const char* label;
  const char* first;   // of the first half of the agents
  const char* second;  // of the second
  bool four_bits;      // on the wire
  double most_lost;    // points
};
constexpr Kind kKinds[] = {
    {"float32", "float32", "float32", false, kNothingClaimed},
    {"int16", "int16", "int16", false, 0.2},
    {"int8", "int8", "int8", false, 0.6},
    {"half float32, half int16", "float32", "int16", false, kNothingClaimed},
    {"half int16, half int8", "int16", "int8", false, kNothingClaimed},
    {"int16, 4 bits", "int16", "int16", true, kNothingClaimed},
    {"int8, 4 bits", "int8", "int8", true, kNothingClaimed},
};

struct Case {
  std::string data;
  std::string model;
  std::uint32_t agents;
  std::uint64_t steps;
};

std::vector<Case> choose(const Effort& effort) {
  const std::string digits = "blobs:d=64,classes=10,samples=9000,separation=3";
  if (effort.quick) {
    std::vector<Case> cases{{digits, "mlp:32", 8, 300}, {digits, "softmax", 8, 300}};
    if (sim::fashion_mnist_available()) cases.push_back({"fashion-mnist", "softmax", 8, 400});
    return cases;
  }
  std::vector<Case> cases;
  for (const char* model : {"softmax", "mlp:64"}) {
    for (const std::uint32_t agents : {8U, 32U}) {
      cases.push_back({digits, model, agents, 1000});
      if (sim::fashion_mnist_available())
        cases.push_back({"fashion-mnist", model, agents, agents == 8 ? 2000U : 1000U});
    }
  }
  return cases;
}

sim::Settings settings_of(const Kind& kind, const Case& c, std::uint64_t seed) {
  sim::Settings settings{.agents = c.agents, .batch = 16, .seed = seed};
  settings.schedule.eta = c.model == "softmax" ? 0.05F : 0.1F;
  const std::string half = std::to_string(c.agents / 2);
  settings.numerics =
      sim::parse_numeric(std::string(kind.first) + ":" + half + "," + kind.second + ":" + half, c.agents);
  settings.encoding =
      kind.four_bits ? sim::parse_encoding("4") : sim::Encoding{.code = sim::Encoding::Code::raw};
  return settings;
}

}  // namespace

Finding test_fixed_point(const Effort& effort) {
  const std::vector<Case> cases = choose(effort);
  const std::size_t seeds = effort.quick ? 3 : 5;
  Finding finding{.tables = {}, .plots = {}, .holds = true, .verdict = {}};
  Plot plot{.title = "What integers cost",
            .y_label = "points of accuracy gained over float32",
            .x_axes = {{.label = "bits a parameter on the wire"}},
            .lines = {}};
  std::string misses;
  for (std::size_t c = 0; c < cases.size(); ++c) {
    const Case& at = cases[c];
    const sim::Problem problem(sim::DataSpec::parse(at.data), at.model, effort.seed);
    std::vector<Training> runs;
    for (const Kind& kind : kKinds) {
      for (std::size_t k = 0; k < seeds; ++k)
        runs.push_back({.settings = settings_of(kind, at, effort.seed + k), .shards = "iid"});
    }
    std::atomic<std::size_t> done = 0;
    effort.workers.for_each(runs.size(), [&](std::size_t worker, std::size_t k) {
      train(runs[k], problem, at.steps);
      ++done;
      const double share = static_cast<double>(done) / static_cast<double>(runs.size());
      if (worker == 0) effort.progress((static_cast<double>(c) + share) / static_cast<double>(cases.size()));
    });
    const std::string name =
        at.data.substr(0, at.data.find(':')) + ", " + at.model + ", n = " + std::to_string(at.agents);
    Table table{.title = name,
                .columns = {"numbers", "accuracy", "gain over float32, points", "bits a parameter"},
                .rows = {},
                .note = at.data + ", " + thousands(at.steps) + " steps an agent, batch 16, step size " +
                        significant(static_cast<double>(runs[0].settings.schedule.eta)) + ", " +
                        std::to_string(seeds) +
                        " seeds; means over the 10 checkpoints of the second half; in brackets: at least"};
    Line line{.label = name, .style = LineStyle::points, .x = {{}}, .y = {}};
    for (std::size_t k = 0; k < std::size(kKinds); ++k) {
      const auto of_kind = std::span<const Training>(runs).subspan(k * seeds, seeds);
      const Difference gain = points_gained(of_kind, std::span<const Training>(runs).first(seeds));
      const bool claimed = std::isfinite(kKinds[k].most_lost);
      table.rows.push_back({kKinds[k].label, percent(mean_of(of_kind, &Training::accuracy), 2),
                            text(gain) + (claimed ? " (" + fixed(-kKinds[k].most_lost, 1) + ")" : ""),
                            fixed(mean_of(of_kind, &Training::bits), 2)});
      line.x[0].push_back(mean_of(of_kind, &Training::bits));
      line.y.push_back(gain.mean);
      if (claimed && !(gain.mean >= -kKinds[k].most_lost)) {
        misses += (misses.empty() ? "" : "; ") + std::string(kKinds[k].label) + " (" + name + ": " +
                  fixed(gain.mean, 2) + " points)";
      }
    }
    finding.tables.push_back(std::move(table));
    plot.lines.push_back(std::move(line));
  }
  finding.plots.push_back(std::move(plot));
  finding.holds = misses.empty();
  finding.verdict = misses.empty() ? "int16 within 0.2 points of float32 and int8 within 0.6, in all of " +
                                         std::to_string(cases.size()) + " settings"
                                   : "beyond 0.2 (int16) or 0.6 (int8) points: " + misses;
  return finding;
}

}  // namespace popsgd::command
