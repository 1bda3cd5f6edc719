#include "swarm/models.h"

#include "agent/setup.h"
#include "device/file_store.h"

#include <popsgd/sim/device.h>
#include <popsgd/sim/error.h>

#include <numeric>
#include <span>

namespace popsgd::command {

struct Models::Reader {
  Reader(const AgentOptions& options, const sim::Settings& settings, const sim::Problem& problem,
         const sim::Shards& shards, Numeric numeric)
      : config(config_from(options, settings, fingerprint_of(options.swarm, problem), 1)),
        device(problem, settings, shards, 0, numeric, 0),
        workspace((Agent::workspace_size(config, device.parameters(), device.tensors(), numeric) + 7) / 8) {}

  Status begin() { return device.begin(agent, config, std::as_writable_bytes(std::span(workspace)), Time{}); }

  AgentConfig config;
  sim::Device device;
  std::vector<std::uint64_t> workspace;
  Agent agent;
};

Models::Models(const AgentOptions& options, const sim::Settings& settings, const sim::Problem& problem)
    : options_(options),
      settings_(settings),
      problem_(problem),
      shards_(sim::Shards::make("shared", problem.train(), 1, 0)),
      models_(settings.agents) {
  for (std::uint32_t k = 0; k < models(); ++k) {
    models_[k].values.resize(problem.parameters());
    Reader& first = reader(numeric(k));
    if (const Status status = first.begin(); status != Status::ok)
      throw sim::Error("the agents cannot begin: " + std::string(text(status)));
    first.device.copy_model(models_[k].values);
  }
}

Models::~Models() = default;

Numeric Models::numeric(std::uint32_t index) const {
  return settings_.numerics.empty() ? Numeric::float32 : settings_.numerics[index];
}

Models::Reader& Models::reader(Numeric numeric) {
  auto& one = readers_[static_cast<std::size_t>(numeric)];
  if (!one) one = std::make_unique<Reader>(options_, settings_, problem_, shards_, numeric);
  return *one;
}

bool Models::load(std::uint32_t index, const std::filesystem::path& directory) {
  device::FileStore store;
  Reader& by = reader(numeric(index));
  if (store.open_to_read(directory) != Status::ok || by.begin() != Status::ok ||
      by.agent.restore(store, Time{}) != Status::ok)
    return false;
  by.device.copy_model(models_[index].values);
  models_[index].steps = by.agent.metrics().steps;
  models_[index].counter = by.agent.counter();
  return true;
}

std::uint64_t Models::steps() const {
  return std::accumulate(models_.begin(), models_.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const One& one) { return sum + one.steps; });
}

float Models::rate() const {
  std::uint64_t sum = 0;
  for (const One& one : models_) sum += one.counter.bits() / models_.size();
  return settings_.schedule.rate(StepCounter::from_bits(sum));
}

}  // namespace popsgd::command
