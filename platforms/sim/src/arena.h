// One large, zeroed block of floats for the models of a swarm.
#pragma once

#include <cstddef>
#include <span>

namespace popsgd::sim {

/// Memory straight from the operating system, on huge pages where it grants them: a swarm of a million models
/// is visited at random, and with small pages every visit would miss the translation cache as well.
class Arena {
 public:
  Arena() = default;
  explicit Arena(std::size_t floats);
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  [[nodiscard]] float* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return floats_; }

 private:
  float* data_ = nullptr;
  std::size_t floats_ = 0;
};

}  // namespace popsgd::sim
