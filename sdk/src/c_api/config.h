// An agent's configuration, from C.
#pragma once

#include <popsgd/agent.h>
#include <popsgd/c/config.h>

namespace popsgd::c_api {

/// Without its observer. null_pointer; invalid_size: the struct is of no version up to this one, or a choice is none of those there are.
[[nodiscard]] Result<AgentConfig> read(const popsgd_agent_config* config);

}  // namespace popsgd::c_api
