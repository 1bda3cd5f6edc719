// What an agent needs of the device it runs on, looked at one by one.
#pragma once

#include "agent.h"

#include <string>
#include <vector>

namespace popsgd::command {

/// What has come of one look.
struct Diagnosis {
  enum class Grade { fine, note, stops };

  Grade grade = Grade::fine;
  std::string what;  ///< a word: key, port, interface ...
  std::string text;  ///< for a person; of what stops, with what to do
};

/// Everything, in the order in which an agent needs it. Takes up to a second or two, as it listens for its own message by multicast.
/// Nothing of the key is in what it says but its epoch.
[[nodiscard]] std::vector<Diagnosis> examine(const AgentOptions& options);

}  // namespace popsgd::command
