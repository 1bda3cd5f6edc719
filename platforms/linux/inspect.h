// `popsgd inspect`: what is in a device's checkpoints.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace popsgd::command {

struct InspectOptions {
  std::string path;
  std::string export_to;
  std::string numeric = "float32";
  bool json = false;
  bool force = false;
};

void declare_inspect(CLI::App& app, InspectOptions& options);

/// The exit code: 0 when there is a checkpoint that is entire, else 1. Throws sim::Error where the request cannot be carried out.
int inspect(const InspectOptions& options);

}  // namespace popsgd::command
