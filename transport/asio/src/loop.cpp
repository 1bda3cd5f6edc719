#include <popsgd/asio/loop.h>

#include <chrono>
#include <optional>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

namespace popsgd::net {

// A concurrency hint of 1: handlers run on one thread, others only post.
struct Loop::State {
  asio::io_context context{1};
  std::optional<asio::signal_set> signals;
  std::function<void(int)> heard;

  void await_signal() {
    signals->async_wait([this](const std::error_code& error, int number) {
      if (error) return;
      heard(number);
      await_signal();
    });
  }
};

Loop::Loop() : state_(std::make_unique<State>()) {}
Loop::~Loop() = default;

void Loop::run() {
  const auto work = asio::make_work_guard(state_->context);
  state_->context.run();
  state_->context.restart();
}

void Loop::stop() {
  state_->context.stop();
}

void Loop::post(std::function<void()> task) {
  asio::post(state_->context, std::move(task));
}

Time Loop::now() {
  using namespace std::chrono;
  const auto since_start = steady_clock::now().time_since_epoch();
  return Time(static_cast<std::uint32_t>(duration_cast<milliseconds>(since_start).count()));
}

void Loop::on_signals(std::initializer_list<int> numbers, std::function<void(int)> heard) {
  state_->signals.emplace(state_->context);
  for (const int number : numbers) state_->signals->add(number);
  state_->heard = std::move(heard);
  state_->await_signal();
}

asio::io_context& Loop::context() {
  return state_->context;
}

// --- timers

// Shared with the wait under way. Deadlines move back with almost every frame: a wait that ends too early is then begun
// anew, which asks less of the system than to move it each time.
struct Timer::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, std::function<void()> call) : timer(context), expired(std::move(call)) {}

  void wait() {
    wakes = due;
    const std::uint64_t number = ++waits;
    timer.expires_after(std::chrono::milliseconds(std::max(0, due.since(Loop::now()))));
    timer.async_wait([state = shared_from_this(), number](const std::error_code& error) {
      if (!error && number == state->waits) state->woke();
    });
  }
  void woke() {
    wakes.reset();
    if (!armed) return;
    if (!due.reached(Loop::now())) return wait();
    armed = false;
    expired();
  }

  asio::steady_timer timer;
  std::function<void()> expired;
  bool armed = false;
  Time due{};
  std::optional<Time> wakes{};  // when the wait under way ends
  std::uint64_t waits = 0;
};

Timer::Timer(Loop& loop, std::function<void()> expired)
    : state_(std::make_shared<State>(loop.context(), std::move(expired))) {}

Timer::~Timer() {
  state_->armed = false;
  state_->timer.cancel();
}

void Timer::at(Time due) {
  state_->armed = true;
  state_->due = due;
  if (!state_->wakes || due.since(*state_->wakes) < 0) state_->wait();
}

void Timer::cancel() {
  state_->armed = false;
}

}  // namespace popsgd::net
