// popsgd simulate: a swarm learns on this machine.
#pragma once

#include <popsgd/privacy.h>
#include <popsgd/sim/experiment.h>

#include <cstdint>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace popsgd::command {

/// Noise, and how much of what is learned may be told.
struct PrivacyOptions {
  double clip = 1;
  double noise = 0;  ///< 0: no privacy
  double epsilon = 8;
  double delta = 1e-6;
};

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
  std::string quantise;  ///< empty: models travel as they are
  std::string numeric = "float32";
  std::string engine = "population";
  std::string link;                 ///< of the network engine; empty: its defaults
  std::string contacts = "always";  ///< of the network engine
  std::string byzantine;            ///< of the network engine; empty: none
  std::string crash;                ///< of the network engine; empty: none
  std::int64_t agents = 32;
  std::int64_t interactions = 20000;
  std::int64_t batch = 16;
  std::int64_t threads = 0;     ///< 0: one a core
  std::int64_t eval_every = 0;  ///< 0: forty times in a run
  std::int64_t seed = 1;
  std::int64_t mean_wait = 1000;  ///< ms; of the network engine
  std::int64_t block_length = 0;  ///< parameters; of the network engine
  double lr = 0.1;
  double weight_decay = 0;
  double momentum = 0;
  double settle = 0;
  PrivacyOptions privacy;  ///< of the network engine
  std::string out;
  bool no_gate = false;           ///< of the network engine
  bool check_invariants = false;  ///< of the network engine
  bool json = false;
  std::string command;  ///< the whole command line
};

/// Declares the subcommand's options; `options` must outlive the parsing.
void declare_simulate(CLI::App& app, SimulateOptions& options);

/// Runs it. Returns the exit status: 0, or 1 when the run diverged or broke an invariant (its report is written all
/// the same). Throws sim::Error for a request that cannot be carried out.
int simulate(const SimulateOptions& options);

/// Settings out of the options; throws sim::Error naming the flag.
[[nodiscard]] sim::Settings settings_from(const SimulateOptions& options);

/// Privacy, if it is asked for; throws sim::Error naming the flag.
[[nodiscard]] std::optional<Privacy::Settings> privacy_from(const PrivacyOptions& options);

/// Those of the network engine if it is asked for; throws sim::Error naming the flag.
[[nodiscard]] std::optional<sim::NetworkSettings> network_from(const SimulateOptions& options);

}  // namespace popsgd::command
