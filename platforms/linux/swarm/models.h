// The models of a swarm's agents, as their checkpoints have them.
#pragma once

#include "agent.h"

#include <popsgd/sim/algorithm.h>
#include <popsgd/sim/problem.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace popsgd::command {

/// To be measured like those of a simulation, but it does not run: agents do.
class Models final : public sim::Algorithm {
 public:
  /// `problem` must outlive it; options.swarm is the name that the agents go by. Models begin where all agents do.
  Models(const AgentOptions& options, const sim::Settings& settings, const sim::Problem& problem);
  ~Models() override;

  /// Takes the newest checkpoint of agent `index` from its directory, also while the agent runs: nothing is locked or
  /// changed. False, and the model stays as it was, where there is none that is entire.
  bool load(std::uint32_t index, const std::filesystem::path& directory);

  /// Steps that the agents had taken when these models were saved.
  [[nodiscard]] std::uint64_t steps() const;
  /// The step size at the mean of their counters.
  [[nodiscard]] float rate() const;
  sim::Account& spent() { return account_; }

  void run_until(std::uint64_t) override {}
  [[nodiscard]] std::uint32_t models() const override { return static_cast<std::uint32_t>(models_.size()); }
  [[nodiscard]] ConstParams model(std::uint32_t index) const override { return models_[index].values; }
  [[nodiscard]] sim::Account account() const override { return account_; }

 private:
  struct Reader;  // restores as an agent does
  struct One {
    std::vector<float> values;
    std::uint64_t steps = 0;
    StepCounter counter{};
  };
  [[nodiscard]] Numeric numeric(std::uint32_t index) const;
  Reader& reader(Numeric numeric);

  const AgentOptions& options_;
  const sim::Settings& settings_;
  const sim::Problem& problem_;
  sim::Shards shards_;
  std::array<std::unique_ptr<Reader>, 3> readers_;  // by Numeric
  std::vector<One> models_;
  sim::Account account_;
};

}  // namespace popsgd::command
