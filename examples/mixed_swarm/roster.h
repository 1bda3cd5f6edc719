// Who takes part: agents on Linux of four architectures, and boards of five cores.
#pragma once

#include "process.h"

#include <string>
#include <vector>

namespace mixed_swarm {

/// What all are told alike.
struct Plan {
  std::string source;   ///< the project's folder; programs are below build/PRESET in it
  std::string scratch;  ///< where nodes keep what they write
  int seconds = 40;     ///< for which boards learn; agents begin before and end after
};

/// One device.
struct Node {
  std::string name;
  std::string machine;  ///< what it stands for
  std::string numeric;
  std::string sees;  ///< which classes
  std::string link;  ///< how it meets others
  Command command;
};

/// Agents that find each other by beacons.
[[nodiscard]] std::vector<Node> native_agents(const Plan& plan);
/// Agents under an emulator, which has no multicast: they call `peer`, ADDRESS:PORT.
[[nodiscard]] std::vector<Node> emulated_agents(const Plan& plan, const std::string& peer);
/// Boards, those with Ethernet first; they call `ports` of this machine, and one of them passes on to the board on its wire.
[[nodiscard]] std::vector<Node> boards(const Plan& plan, const std::vector<std::string>& ports);

/// Programs that have not been built, each with the command that does.
[[nodiscard]] std::vector<std::string> missing(const Plan& plan);
/// Writes the digits that agents learn. Throws std::runtime_error.
void write_digits(const Plan& plan);
/// Makes the key that all have but the board on its wire; before any of the nodes. Throws std::runtime_error.
void write_key(const Plan& plan);

}  // namespace mixed_swarm
