// popsgd reproduce: each claim of the paper's abstract, measured beside its theory.
#pragma once

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace popsgd::command {

struct ReproduceOptions {
  std::string claim;
  bool quick = false;
  std::int64_t seed = 1;
  std::int64_t threads = 0;  ///< 0: one a core
  std::string out;
  bool json = false;
  std::string command;  ///< the whole command line
};

/// Declares the subcommand's options; `options` must outlive the parsing.
void declare_reproduce(CLI::App& app, ReproduceOptions& options);

/// Runs it. Returns 0 when every claim held, 1 when one did not. Throws sim::Error for an unknown claim or a folder
/// that cannot be written.
int reproduce(const ReproduceOptions& options);

}  // namespace popsgd::command
