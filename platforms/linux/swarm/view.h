// The swarm on a terminal, kept up to date in its place.
#pragma once

#include "swarm/member.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace popsgd::command {

/// A line for each agent, as far as there is room, and one for all: "8 agents  12 s  steps 1,200 to 1,300  ...".
[[nodiscard]] std::vector<std::string> view(std::span<const Member> members, double seconds,
                                            std::size_t lines);

/// Writes to stderr; nothing where that is no terminal.
class Screen {
 public:
  Screen();
  ~Screen() { clear(); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  [[nodiscard]] bool terminal() const { return terminal_; }
  void show(std::span<const Member> members, double seconds);
  /// A line that stays, above what is kept up to date; also where there is no terminal.
  void say(const std::string& line);
  /// The screen as it was before.
  void clear();

 private:
  bool terminal_;
  std::size_t shown_ = 0;
};

}  // namespace popsgd::command
