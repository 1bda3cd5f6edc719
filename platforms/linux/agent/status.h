// What an agent says of itself while it runs: a line that stays in its place on a terminal, else lines of JSON.
#pragma once

#include "agent/telemetry.h"

#include <mutex>
#include <string>
#include <string_view>

namespace popsgd::command {

/// To stdout; from any thread.
class StatusLine {
 public:
  StatusLine();

  [[nodiscard]] bool terminal() const { return terminal_; }

  /// What has just happened: a line that stays.
  void event(std::string_view name, std::string_view text);
  /// How it goes: overwrites the one before on a terminal.
  void sample(const Sample& sample, double bytes_per_second);
  /// How it went.
  void result(const Sample& sample, double test_loss, double test_accuracy);

 private:
  void line(const std::string& text, bool stays);

  std::mutex mutex_;
  bool terminal_;
  bool pending_ = false;  // a line that is to be overwritten
};

}  // namespace popsgd::command
