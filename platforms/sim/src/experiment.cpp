#include "gamma_theory.h"

#include <popsgd/sim/error.h>
#include <popsgd/sim/experiment.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

namespace popsgd::sim {
namespace {

using Stopwatch = std::chrono::steady_clock;

double seconds_since(Stopwatch::time_point start) {
  return std::chrono::duration<double>(Stopwatch::now() - start).count();
}

// Interactions between two reports of progress: some tenths of a second of work, in whole thousands so that the
// sequence is cut at the same places on a fast machine and on a slow one.
std::uint64_t slice(const Experiment& experiment) {
  const double work = static_cast<double>(experiment.problem.parameters() * experiment.settings.batch) *
                      experiment.settings.local_steps.mean;
  return 1024 * std::max<std::uint64_t>(1, static_cast<std::uint64_t>(4e6 / (1000 + work)));
}

}  // namespace

Outcome run(const Experiment& experiment, Workers& workers, const Progress& progress) {
  std::unique_ptr<Algorithm> algorithm;
  const NetworkAlgorithm* network = nullptr;
  if (experiment.network == nullptr) {
    algorithm = make_algorithm(experiment.algorithm, experiment.problem, experiment.settings,
                               experiment.topology, experiment.shards, workers);
  } else {
    if (experiment.algorithm != "popsgd")
      throw Error("--engine network runs --algorithm popsgd, not " + experiment.algorithm);
    auto made = make_network(experiment.problem, experiment.settings, experiment.topology, experiment.shards,
                             *experiment.network);
    network = made.get();
    algorithm = std::move(made);
  }
  Meter meter(experiment.problem, workers);
  std::optional<GammaTheory> theory;
  const bool plain = experiment.settings.encoding.code == Encoding::Code::none &&
                     experiment.settings.numerics.empty() && experiment.settings.schedule.settle == 0;
  if (experiment.algorithm == "popsgd" && network == nullptr && plain) {
    theory.emplace(experiment.problem, experiment.settings, experiment.topology, experiment.shards);
  }

  Outcome outcome;
  const auto measure = [&](std::uint64_t done, double budget) {
    const auto start = Stopwatch::now();
    Measurement result = meter.measure(*algorithm, budget);
    result.rate = average_rate(experiment.settings, done);
    if (theory) result.gamma_theory = done == 0 ? 0 : theory->advance(*algorithm, done);
    outcome.measuring_seconds += seconds_since(start);
    if (!std::isfinite(result.mean_model.loss) && !outcome.diverged_at) outcome.diverged_at = done;
    outcome.measurements.push_back(std::move(result));
  };

  const std::uint64_t every =
      experiment.measure_every == 0 ? experiment.interactions : experiment.measure_every;
  const std::uint64_t step = slice(experiment);
  measure(0, every == experiment.interactions ? Meter::kThorough : Meter::kGlance);
  for (std::uint64_t done = 0; done < experiment.interactions && !outcome.diverged_at;) {
    const std::uint64_t next_look = std::min((done / every + 1) * every, experiment.interactions);
    const auto start = Stopwatch::now();
    while (done < next_look && !algorithm->diverged_at()) {
      done = std::min(done + step, next_look);
      algorithm->run_until(done);
      if (progress) progress(done);
    }
    outcome.seconds += seconds_since(start);
    outcome.diverged_at = algorithm->diverged_at();
    measure(done, done == experiment.interactions ? Meter::kThorough : Meter::kGlance);
  }
  if (network != nullptr) outcome.network = network->totals();
  return outcome;
}

}  // namespace popsgd::sim
