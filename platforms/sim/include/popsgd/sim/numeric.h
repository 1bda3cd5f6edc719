// What numbers agents learn in.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace popsgd::sim {

enum class Numeric : std::uint8_t {
  float32,
  int16,  ///< weights and activations
  int8,   ///< weights; activations are int16 (with int8 ones agents learn as well)
};

/// "int16" for all, or numbers of agents, "float32:24,int16:8", which add up to `agents`. One for each agent, in that
/// order; empty if all are float32. Throws Error for anything else.
[[nodiscard]] std::vector<Numeric> parse_numeric(std::string_view text, std::uint32_t agents);

[[nodiscard]] std::string_view text(Numeric numeric);

}  // namespace popsgd::sim
