// One line on a terminal that says how far a long job is; nothing at all when the output goes elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace popsgd::command {

/// "popsgd: 34%  34,000 of 100,000 interactions  12,300/s  5.4 s left". Written to stderr, at most ten times a
/// second, and cleared at the end.
class ProgressLine {
 public:
  ProgressLine(std::string what, std::uint64_t total);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(std::uint64_t done);

 private:
  using Clock = std::chrono::steady_clock;

  std::string what_;
  std::uint64_t total_;
  bool terminal_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point shown_{};
};

}  // namespace popsgd::command
