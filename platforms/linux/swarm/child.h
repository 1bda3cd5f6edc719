// A process of the swarm: started, listened to, ended.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace popsgd::command {

/// Cuts what a pipe brings into lines. A line of more than kLongest bytes is dropped.
class Lines {
 public:
  static constexpr std::size_t kLongest = 65536;
  using Line = std::function<void(std::string_view)>;

  void add(std::string_view bytes, const Line& line);

 private:
  std::string begun_;
  bool dropping_ = false;
};

/// This program, started once more with other words. It dies with its parent, however that dies.
class Child {
 public:
  /// What it says, line by line: its output and its errors.
  struct Heard {
    Lines::Line output;
    Lines::Line errors;
  };

  /// Throws sim::Error.
  Child(const std::vector<std::string>& words, Heard heard);
  ~Child();  ///< kills it if it still runs
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  Child(Child&&) = delete;
  Child& operator=(Child&&) = delete;

  /// To be polled for reading; -1 where there is no more to come.
  [[nodiscard]] int output() const { return pipes_[0].file; }
  [[nodiscard]] int errors() const { return pipes_[1].file; }

  /// Takes what is there to be read, without waiting.
  void read();
  /// Asks whether it has ended, without waiting.
  [[nodiscard]] bool ended();
  void signal(int number) const;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// How it has ended: empty if well, else "exit status 1", "killed by signal 9".
  [[nodiscard]] std::string fate() const;

 private:
  struct Pipe {
    int file = -1;
    Lines lines{};
    Lines::Line heard{};
  };
  static void read(Pipe& pipe);

  std::array<Pipe, 2> pipes_;
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace popsgd::command
