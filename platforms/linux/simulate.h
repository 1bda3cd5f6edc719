// popsgd simulate: a swarm learns on this machine.
#pragma once

#include <popsgd/sim/experiment.h>

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace popsgd::command {

/// What `popsgd simulate` was asked for, as it was typed.
struct SimulateOptions {
  std::string data;   ///< empty: Fashion-MNIST where it is installed, else blobs
  std::string model;  ///< empty: what suits the data
  std::string algorithm = "popsgd";
  std::string topology;  ///< empty: complete (D-PSGD: ring)
  std::string shards;    ///< empty: shared for sets drawn from a formula, else iid
  std::string speeds = "equal";
  std::string schedule = "constant";
  std::string clock = "gossip";
  std::string local_steps = "1";
  std::string merge = "average";
  std::int64_t agents = 32;
  std::int64_t interactions = 20000;
  std::int64_t batch = 16;
  std::int64_t threads = 0;     ///< 0: one a core
  std::int64_t eval_every = 0;  ///< 0: forty times in a run
  std::int64_t seed = 1;
  double lr = 0.1;
  double weight_decay = 0;
  double momentum = 0;
  std::string out;
  bool json = false;
  std::string command;  ///< the whole command line
};

/// Declares the subcommand's options; `options` must outlive the parsing.
void declare_simulate(CLI::App& app, SimulateOptions& options);

/// Runs it. Returns the exit status: 0, or 1 when the run diverged (its report is written all the same).
/// Throws sim::Error for a request that cannot be carried out.
int simulate(const SimulateOptions& options);

/// Settings out of the options; throws sim::Error naming the flag.
[[nodiscard]] sim::Settings settings_from(const SimulateOptions& options);

}  // namespace popsgd::command
