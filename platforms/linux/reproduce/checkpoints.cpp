#include "reproduce/checkpoints.h"

#include "format.h"
#include "reproduce/claim.h"

#include <popsgd/merge.h>

#include <cmath>

namespace popsgd::command {
namespace {

constexpr std::uint64_t kCheckpoints = 20;

double gamma_of(const sim::Algorithm& algorithm, ConstParams mean) {
  double gamma = 0;
  for (std::uint32_t k = 0; k < algorithm.models(); ++k) gamma += squared_distance(algorithm.model(k), mean);
  return gamma;
}

// Frames of an exchange cross at once; so its models are looked at before it or after it.
Trial begin(const Training& training, const sim::Problem& problem, sim::Workers& workers) {
  if (!training.devices) return {"popsgd", problem, training.settings, "complete", training.shards, workers};
  const sim::NetworkSettings network{.link = {.delay_ms = 0, .mtu = 65'535, .reliable = true}, .gate = false};
  return {problem, training.settings, "complete", training.shards, network};
}

}  // namespace

void train(Training& training, const sim::Problem& problem, std::uint64_t steps) {
  sim::Workers alone(1);
  const Trial trial = begin(training, problem, alone);
  std::vector<float> scratch(problem.score_scratch());
  const std::uint64_t interactions = steps * training.settings.agents / 2;
  constexpr std::uint64_t kLooks = kCheckpoints / 2;
  for (std::uint64_t look = 1; look <= kLooks; ++look) {
    trial->run_until(interactions * (kLooks + look) / kCheckpoints);
    const std::vector<double> exact = mean_of_models(*trial);
    const std::vector<float> mean(exact.begin(), exact.end());
    training.accuracy += problem.score(mean, problem.test().rows, scratch).accuracy / kLooks;
    training.gamma += gamma_of(*trial, mean) / kLooks;
  }
  const sim::Account account = trial->account();
  const auto sent = static_cast<double>(account.models_sent * problem.parameters());
  training.bits = 8 * static_cast<double>(account.bytes) / sent;
  training.wrapped = static_cast<double>(account.wrapped) / static_cast<double>(account.interactions);
}

Difference points_gained(std::span<const Training> changed, std::span<const Training> reference) {
  Difference difference;
  const auto n = static_cast<double>(changed.size());
  const auto gain = [&](std::size_t k) { return 100 * (changed[k].accuracy - reference[k].accuracy); };
  for (std::size_t k = 0; k < changed.size(); ++k) difference.mean += gain(k) / n;
  for (std::size_t k = 0; k < changed.size(); ++k)
    difference.error += (gain(k) - difference.mean) * (gain(k) - difference.mean) / (n * (n - 1));
  difference.error = std::sqrt(difference.error);
  return difference;
}

std::string text(const Difference& difference) {
  return fixed(difference.mean, 2) + " +- " + fixed(difference.error, 2);
}

double mean_of(std::span<const Training> runs, double Training::*field) {
  double sum = 0;
  for (const Training& run : runs) sum += run.*field;
  return sum / static_cast<double>(runs.size());
}

}  // namespace popsgd::command
