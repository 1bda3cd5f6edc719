// popsgd keygen, rotate and enroll: the key of a swarm, from the first device to the last.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace popsgd::command {

struct KeygenOptions {
  std::string path;
};
void declare_keygen(CLI::App& app, KeygenOptions& options);
/// A new swarm's key. Returns the exit status, 0; throws sim::Error, as all of these, and has then changed nothing.
int keygen(const KeygenOptions& options);

struct RotateOptions {
  std::string path;
  bool new_key = false;
};
void declare_rotate(CLI::App& app, RotateOptions& options);
/// The next epoch, of the same key or of a new one.
int rotate(const RotateOptions& options);

struct EnrollOptions {
  std::string path;  ///< of the key file
  std::string text;  ///< to be written to it; "-": read from standard input; empty: it is shown
  bool text_only = false;
  bool force = false;
};
void declare_enroll(CLI::App& app, EnrollOptions& options);
/// Shows a key to another device, or takes one over.
int enroll(const EnrollOptions& options);

}  // namespace popsgd::command
