// Options from a file.
#pragma once

namespace CLI {
class App;
}

namespace popsgd::command {

/// --config FILE in TOML: what a flag is called without its dashes is a key; a flag wins over the file. Lists are for flags that may
/// be given several times. Errors say where in the file.
void declare_config_file(CLI::App& app);

}  // namespace popsgd::command
