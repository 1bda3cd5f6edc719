// The agents of a swarm as processes, from the first one's start to the last one's end.
#pragma once

#include "swarm/child.h"
#include "swarm/member.h"
#include "swarm/view.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace popsgd::command {

/// While it exists SIGINT, SIGTERM and SIGHUP, to this process, end the agents.
class Processes {
 public:
  Processes();
  ~Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;
  Processes(Processes&&) = delete;
  Processes& operator=(Processes&&) = delete;

  /// Starts one more; words: its command line. Throws sim::Error.
  void start(const std::vector<std::string>& words);

  /// Returns when all have ended, and calls `now_and_then` a few times a second until then. duration: seconds in
  /// which each is to end by itself; 0: none. What has not ended ten seconds after it was to is killed.
  void serve(double duration, const std::function<void()>& now_and_then);

  [[nodiscard]] std::span<const Member> members() const { return members_; }
  [[nodiscard]] double seconds() const;  ///< since it was made

 private:
  using Clock = std::chrono::steady_clock;
  struct Running {
    std::unique_ptr<Child> child;
    std::optional<Clock::time_point> due{};  // to end until then
  };

  [[nodiscard]] bool going() const;
  void wait();
  void hear(std::size_t index, std::string_view line);
  void stop();
  void look_after(std::size_t index);
  void tell_death(std::size_t index);

  const Clock::time_point start_ = Clock::now();
  Clock::time_point last_end_ = start_;
  double duration_ = 0;
  int signals_ = -1;
  Screen screen_;
  std::vector<Member> members_;
  std::vector<Running> running_;
};

}  // namespace popsgd::command
