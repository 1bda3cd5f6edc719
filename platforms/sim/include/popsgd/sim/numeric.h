// What numbers agents learn in.
#pragma once

#include <popsgd/model.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace popsgd::sim {

/// "int16" for all, or numbers of agents, "float32:24,int16:8", which add up to `agents`. One for each agent, in that
/// order; empty if all are float32. Throws Error for anything else. Of int16 agents activations are int16 as well; those of
/// int8 agents are, too: with int8 ones they learn as well.
[[nodiscard]] std::vector<Numeric> parse_numeric(std::string_view text, std::uint32_t agents);

[[nodiscard]] std::string_view text(Numeric numeric);

}  // namespace popsgd::sim
