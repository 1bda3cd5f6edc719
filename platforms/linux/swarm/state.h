// Where the agents of a swarm keep what they know.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace popsgd::command {

/// A folder with one for each agent. It remembers the name by which the agents know each other, which their checkpoints
/// are bound to; another swarm's agents, on this machine or elsewhere, have another name.
class SwarmState {
 public:
  /// `folder` as the user typed it; empty: one of its own, which goes when the object does. Throws sim::Error.
  explicit SwarmState(const std::string& folder);
  ~SwarmState();
  SwarmState(const SwarmState&) = delete;
  SwarmState& operator=(const SwarmState&) = delete;
  SwarmState(SwarmState&&) = delete;
  SwarmState& operator=(SwarmState&&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::filesystem::path of_agent(std::uint32_t index) const;

 private:
  std::filesystem::path folder_;
  std::string name_;
  bool temporary_;
};

}  // namespace popsgd::command
