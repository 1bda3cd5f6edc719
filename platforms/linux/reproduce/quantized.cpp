// What a swarm still learns when its agents send a few bits a parameter: accuracy against bits on the wire.
#include "format.h"
#include "reproduce/checkpoints.h"
#include "reproduce/claim.h"

#include <popsgd/sim/data_source.h>

#include <atomic>
#include <cmath>
#include <limits>

namespace popsgd::command {
namespace {

using Code = sim::Encoding::Code;

constexpr double kNothingClaimed = std::numeric_limits<double>::infinity();

// A way to send models, and what is claimed of it beside `raw` in the same run.
struct Entry {
  const char* label;
  sim::Encoding encoding;
  bool devices = false;                // their own agents
  double most_lost = kNothingClaimed;  // points of accuracy
  double most_bits = kNothingClaimed;
  double most_gamma = kNothingClaimed;  // times that of raw
};

const Entry kEntries[] = {
    {.label = "raw", .encoding = {.code = Code::raw}},
    {.label = "8 bits", .encoding = {.code = Code::lattice, .bits = 8}, .most_lost = 0.15, .most_bits = 8.3},
    {.label = "4 bits",
     .encoding = {.code = Code::lattice, .bits = 4},
     .most_lost = 0.15,
     .most_bits = 4.1,
     .most_gamma = 5},
    {.label = "4 bits, rotated", .encoding = {.code = Code::lattice, .bits = 4, .rotate = true}},
    {.label = "auto", .encoding = {.code = Code::lattice, .automatic = true}},
    {.label = "3 bits, rotated",
     .encoding = {.code = Code::lattice, .bits = 3, .rotate = true},
     .most_lost = 0.2,
     .most_bits = 3.2},
    {.label = "plain int8", .encoding = {.code = Code::plain_int8}},
    {.label = "top 10%", .encoding = {.code = Code::top_tenth}},
    {.label = "devices: raw", .encoding = {.code = Code::raw}, .devices = true},
    {.label = "devices: 8 bits",
     .encoding = {.code = Code::lattice, .bits = 8},
     .devices = true,
     .most_lost = 0.15,
     .most_bits = 8.3},
    {.label = "devices: 4 bits",
     .encoding = {.code = Code::lattice, .bits = 4},
     .devices = true,
     .most_lost = 0.15,
     .most_bits = 4.1,
     .most_gamma = 5},
    {.label = "devices: 3 bits, rotated",
     .encoding = {.code = Code::lattice, .bits = 3, .rotate = true},
     .devices = true,
     .most_lost = 0.2,
     .most_bits = 3.2},
};
constexpr std::size_t kEntryCount = std::size(kEntries);

// What an entry is held against: the first of its engine.
std::size_t reference_of(std::size_t entry) {
  std::size_t first = 0;
  while (kEntries[first].devices != kEntries[entry].devices) ++first;
  return first;
}

struct Setting {
  std::string data;
  std::string model;
  std::uint32_t agents;
  std::uint64_t steps;  // an agent
  std::size_t seeds;
};

Setting choose(const Effort& effort) {
  if (!sim::fashion_mnist_available())
    return {"blobs:d=16,classes=10,samples=20000,spread=1.5", "mlp:64", 8, effort.quick ? 500U : 4000U, 5};
  return effort.quick ? Setting{"fashion-mnist", "mlp:16", 8, 400, 3}
                      : Setting{"fashion-mnist", "mlp:64", 8, 4000, 5};
}

// Entry after entry, each with all seeds.
std::vector<Training> all_runs(const std::string& shards, const Setting& setting, std::uint64_t seed) {
  std::vector<Training> runs;
  for (const Entry& entry : kEntries) {
    for (std::size_t k = 0; k < setting.seeds; ++k) {
      Training run{.shards = shards, .devices = entry.devices};
      run.settings = {.encoding = entry.encoding};
      run.settings.schedule.eta = 0.2F;
      run.settings.agents = setting.agents;
      run.settings.batch = 16;
      run.settings.seed = seed + k;
      runs.push_back(std::move(run));
    }
  }
  return runs;
}

// What came of an entry, over its seeds.
struct Result {
  double accuracy;
  Difference gain;
  double bits;
  double gamma;  // times that of raw
  double wrapped;
};

Result result_of(std::span<const Training> runs, std::span<const Training> raw) {
  return {.accuracy = mean_of(runs, &Training::accuracy),
          .gain = points_gained(runs, raw),
          .bits = mean_of(runs, &Training::bits),
          .gamma = mean_of(runs, &Training::gamma) / mean_of(raw, &Training::gamma),
          .wrapped = mean_of(runs, &Training::wrapped)};
}

std::string limit(double most, int decimals) {
  return std::isfinite(most) ? " (" + fixed(most, decimals) + ")" : "";
}

// Points that three pairs of short runs may differ by for no reason: their means have a standard error of about one, which an
// estimate from three pairs can miss by far.
constexpr double kShortRuns = 3;

// The limits that a result misses. Devices meet others than those they are held against, so their accuracy is judged within two
// standard errors. Of short runs bits are not judged: an agent's first meeting, which is raw, and the frames of a small
// model count for too much of them.
std::string missed(const Entry& entry, const Result& result, bool quick) {
  std::string text;
  const auto add = [&](bool right, const std::string& what) {
    if (!right) text += (text.empty() ? "" : ", ") + what;
  };
  const double allowance = quick ? kShortRuns : entry.devices ? 2 * result.gain.error : 0;
  add(result.gain.mean >= -entry.most_lost - allowance, fixed(result.gain.mean, 2) + " points");
  add(quick || result.bits <= entry.most_bits, fixed(result.bits, 3) + " bits");
  add(result.gamma <= entry.most_gamma, "Gamma x " + fixed(result.gamma, 2));
  return text.empty() ? "" : std::string(entry.label) + " (" + text + ")";
}

}  // namespace

Finding test_quantized(const Effort& effort) {
  const Setting setting = choose(effort);
  const sim::Problem problem(sim::DataSpec::parse(setting.data), setting.model, effort.seed);
  Finding finding{.tables = {}, .plots = {}, .holds = true, .verdict = {}};
  Plot plot{.title = "Accuracy against bits on the wire",
            .y_label = "accuracy",
            .x_axes = {{.label = "bits a parameter", .log = true}},
            .lines = {}};
  std::atomic<std::size_t> done = 0;
  for (const std::string shards : {"iid", "dirichlet:0.1"}) {
    std::vector<Training> runs = all_runs(shards, setting, effort.seed);
    effort.workers.for_each(runs.size(), [&](std::size_t worker, std::size_t k) {
      train(runs[k], problem, setting.steps);
      ++done;
      if (worker == 0) effort.progress(static_cast<double>(done) / (2.0 * static_cast<double>(runs.size())));
    });
    Table table{
        .title = "Shards " + shards + ", beside raw floats of the same seed (in brackets: at most)",
        .columns = {"sent", "accuracy", "gain, points", "bits a parameter", "Gamma / raw's", "more bits"},
        .rows = {},
        .note =
            setting.data + ", " + problem.model() + ", n = " + std::to_string(setting.agents) + ", " +
            thousands(setting.steps) + " steps an agent, batch 16, step size 0.2, " +
            std::to_string(setting.seeds) +
            " seeds; means over the 10 checkpoints of the second half, bits over all of the run. More "
            "bits: share of the exchanges in which points were out of reach. Devices: agents as they run on "
            "devices, in the network engine, over a stream, without a gate; whom they meet depends on what "
            "they send, so their gain is judged within two standard errors"};
    Line line{.label = shards, .style = LineStyle::points, .x = {{}}, .y = {}};
    std::string misses;
    const auto of_entry = [&](std::size_t k) {
      return std::span<const Training>(runs).subspan(k * setting.seeds, setting.seeds);
    };
    for (std::size_t k = 0; k < kEntryCount; ++k) {
      const Entry& entry = kEntries[k];
      const Result result = result_of(of_entry(k), of_entry(reference_of(k)));
      table.rows.push_back({entry.label, percent(result.accuracy, 2),
                            text(result.gain) + limit(-entry.most_lost, 2),
                            fixed(result.bits, 3) + limit(entry.most_bits, 1),
                            fixed(result.gamma, 2) + limit(entry.most_gamma, 1), percent(result.wrapped, 2)});
      line.x[0].push_back(result.bits);
      line.y.push_back(result.accuracy);
      const std::string miss = missed(entry, result, effort.quick);
      if (!miss.empty()) misses += (misses.empty() ? "" : ", ") + miss;
    }
    finding.tables.push_back(std::move(table));
    plot.lines.push_back(std::move(line));
    finding.holds = finding.holds && misses.empty();
    finding.verdict +=
        (finding.verdict.empty() ? "" : "; ") + shards + ": " +
        (misses.empty() ? std::string(effort.quick ? "accuracy within its limits and 3 points, as runs are "
                                                     "short; bits are judged without --quick"
                                                   : "all within their limits")
                        : "beyond their limits are " + misses);
  }
  finding.plots.push_back(std::move(plot));
  return finding;
}

}  // namespace popsgd::command
