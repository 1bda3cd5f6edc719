// Entropy for tests: bytes that can be drawn again, and a source that runs dry.
#pragma once

#include <popsgd/entropy.h>
#include <popsgd/random.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::test {

class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : random_(seed, Purpose::user) {}

  [[nodiscard]] Status fill(std::span<std::byte> into) noexcept override {
    if (left == 0) return Status::no_entropy;
    --left;
    for (std::byte& byte : into) byte = static_cast<std::byte>(random_.bits());
    return Status::ok;
  }

  std::uint64_t left = UINT64_MAX;  ///< requests that it answers

 private:
  Random random_;
};

}  // namespace popsgd::test
