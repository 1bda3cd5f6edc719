// A fixed team of threads.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace popsgd::sim {

/// `count` threads, the caller's own among them, that run a task together and wait for one another.
class Workers {
 public:
  /// count >= 1.
  explicit Workers(std::size_t count);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  [[nodiscard]] std::size_t count() const { return count_; }

  /// Calls task(worker) once on each thread, worker = 0 .. count - 1, and returns when all have
  /// returned. A task must not throw.
  void run(const std::function<void(std::size_t worker)>& task);

  /// Calls task(worker, k) for every k < items; which thread takes which k is not defined, so results must be
  /// stored by k.
  void for_each(std::size_t items, const std::function<void(std::size_t worker, std::size_t item)>& task);

 private:
  struct Team;
  std::size_t count_;
  std::unique_ptr<Team> team_;
};

}  // namespace popsgd::sim
