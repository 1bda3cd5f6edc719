#include "baselines.h"
#include "population.h"
#include "quantised/quantised_population.h"

#include <popsgd/sim/algorithm.h>
#include <popsgd/sim/error.h>

#include <array>
#include <string>

namespace popsgd::sim {

namespace {

bool quantised(const Settings& settings) {
  return settings.encoding.code != Encoding::Code::none || !settings.numerics.empty();
}

}  // namespace

std::unique_ptr<Algorithm> make_algorithm(std::string_view name, const Problem& problem,
                                          const Settings& settings, const Topology& topology,
                                          const Shards& shards, Workers& workers) {
  const auto population = [&](Interaction kind) {
    return std::make_unique<Population>(kind, problem, settings, topology, shards, workers);
  };
  if (name != "popsgd" && (quantised(settings) || settings.schedule.settle > 0))
    throw Error("--quantize, --numeric and --settle are for --algorithm popsgd");
  if (name == "popsgd" && quantised(settings))
    return std::make_unique<QuantisedPopulation>(problem, settings, topology, shards, workers);
  if (name == "popsgd") return population(Interaction::both);
  if (name == "adpsgd") return population(Interaction::one_sided);
  if (name == "sgd") return std::make_unique<CentralSgd>(problem, settings, workers);
  if (name == "minibatch") return std::make_unique<MiniBatch>(problem, settings, shards, workers);
  if (name == "fedavg") return std::make_unique<FedAvg>(problem, settings, shards, workers);
  if (name == "dpsgd")
    return std::make_unique<DecentralisedSgd>(problem, settings, topology, shards, workers);
  if (name == "sgp") return std::make_unique<GradientPush>(problem, settings, topology, shards, workers);
  if (name == "local") return std::make_unique<LocalOnly>(problem, settings, shards, workers);
  constexpr std::array<std::string_view, 8> kNames{"popsgd", "sgd",    "minibatch", "fedavg",
                                                   "dpsgd",  "adpsgd", "sgp",       "local"};
  throw Error("--algorithm " + std::string(name) + " is not known" + suggest(name, kNames) +
              "; the algorithms are popsgd, sgd, minibatch, fedavg, dpsgd, adpsgd, sgp and local");
}

}  // namespace popsgd::sim
