// A program that runs beside this one, and what it prints, line by line.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace mixed_swarm {

struct Command {
  std::vector<std::string> words;                  ///< the program and its arguments
  std::map<std::string, std::string> environment;  ///< beside this program's own
  std::string directory;                           ///< where it runs
};

/// Ends it when it goes, and it ends when this program does.
class Process {
 public:
  /// Throws std::system_error.
  explicit Process(const Command& command);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  Process(Process&&) = delete;
  Process& operator=(Process&&) = delete;

  /// To wait at, until there is something to read; -1 when it has closed its output.
  [[nodiscard]] int output() const { return output_; }
  /// What it has printed since this was asked last: whole lines, standard output and errors.
  [[nodiscard]] std::vector<std::string> lines();
  /// Waits for its end: its exit status, or 128 and the signal that ended it.
  int end();

 private:
  pid_t id_ = -1;
  int output_ = -1;
  std::string begun_;  // a line
};

}  // namespace mixed_swarm
