// What a simulated swarm and a real agent are asked for alike: what to learn, and how.
#pragma once

#include "simulate.h"

#include <string>

namespace popsgd::sim {
class Problem;
}

namespace popsgd::command {

/// Declares these flags; `options` must outlive the parsing.
void declare_learning(CLI::App& app, SimulateOptions& options);

/// Declares what leaves, and how much of it may; for `simulate` and `agent`.
void declare_privacy(CLI::App& app, PrivacyOptions& options);

/// Fashion-MNIST where it is installed; else blobs, and says so.
[[nodiscard]] std::string data_or_default(const std::string& data);
[[nodiscard]] std::string model_or_default(const SimulateOptions& options, const std::string& data);
[[nodiscard]] std::string shards_or_default(const SimulateOptions& options, const sim::Problem& problem);

}  // namespace popsgd::command
