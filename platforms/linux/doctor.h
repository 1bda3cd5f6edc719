// popsgd doctor: what would stop this device from joining.
#pragma once

#include "agent.h"

namespace popsgd::command {

/// The options of `popsgd agent`; `options` must outlive the parsing.
void declare_doctor(CLI::App& app, AgentOptions& options);

/// Looks at everything that `popsgd agent` with these options would need, and prints a line for each. Changes and leaves nothing.
/// Returns the exit status: 0, or 1 when something would stop it.
int doctor(const AgentOptions& options);

}  // namespace popsgd::command
