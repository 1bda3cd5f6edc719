// What stands in for a device's Entropy: noise that a seed brings back, and that protects nobody.
#pragma once

#include <popsgd/entropy.h>
#include <popsgd/random.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace popsgd::sim {

class SeededEntropy final : public Entropy {
 public:
  SeededEntropy(std::uint64_t seed, std::uint32_t agent) : random_(seed, Purpose::privacy, agent) {}

  [[nodiscard]] Status fill(std::span<std::byte> into) noexcept override {
    while (!into.empty()) {
      const std::uint32_t word = random_.bits();
      const std::size_t count = into.size() < sizeof word ? into.size() : sizeof word;
      std::memcpy(into.data(), &word, count);
      into = into.subspan(count);
    }
    return Status::ok;
  }

 private:
  Random random_;
};

}  // namespace popsgd::sim
