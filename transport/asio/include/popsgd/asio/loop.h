// One thread's events: sockets, timers, signals, and work that other threads hand over.
#pragma once

#include <popsgd/link.h>

#include <functional>
#include <initializer_list>
#include <memory>

namespace asio {
class io_context;
}

namespace popsgd::net {

/// The event loop that everything of this room lives on. Only stop() and post() may be called by other threads.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  Loop(Loop&&) = delete;
  Loop& operator=(Loop&&) = delete;

  /// Serves events on the calling thread until stop(), which may have come before. May be called again.
  void run();
  /// Makes run(), or the next one, return soon, at whatever it waits.
  void stop();
  /// Has run() call `task` soon, in the order of posting.
  void post(std::function<void()> task);

  /// What time it is; only differences mean anything.
  [[nodiscard]] static Time now();

  /// Calls `heard(number)` whenever one of these signals arrives; in place of what was asked before.
  void on_signals(std::initializer_list<int> numbers, std::function<void(int)> heard);

  /// For the sources of this room.
  [[nodiscard]] asio::io_context& context();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Calls its owner once, at the time set last. Must not outlive its loop.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> expired);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  Timer(Timer&&) = delete;
  Timer& operator=(Timer&&) = delete;

  /// At this time, soon if it has passed; in place of what was set before.
  void at(Time due);
  void after(std::uint32_t milliseconds) { at(Loop::now() + milliseconds); }
  void cancel();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace popsgd::net
