// How a device does, for whoever watches it: a line of JSON with the names that popsgd agent's lines have.
#pragma once

#include "node.h"

#include <cstdint>

namespace firmware {

/// `event`: "status", or "result" of the last one. Of 200 samples of all classes it says how many are recognised.
void report(const char* event, std::uint32_t seconds, Node& node) noexcept;

/// Which model it has: the CRC-32C of its bytes.
void report_model(const char* event, Node& node) noexcept;

}  // namespace firmware
