// Privacy as C has it: the object, and before it where its noise comes from.
#pragma once

#include <popsgd/c/privacy.h>
#include <popsgd/privacy.h>

#include <cstddef>
#include <span>

namespace popsgd::c_api {

// Entropy of a function in C. In the caller's memory: a virtual destructor would drag in an allocator.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor)
class CEntropy final : public Entropy {
 public:
  explicit CEntropy(const popsgd_entropy& entropy) : entropy_(entropy) {}
  [[nodiscard]] Status fill(std::span<std::byte> into) noexcept override {
    return static_cast<Status>(entropy_.fill(entropy_.context, into.data(), into.size()));
  }

 private:
  popsgd_entropy entropy_;
};

}  // namespace popsgd::c_api

// NOLINTNEXTLINE(readability-identifier-naming)
struct popsgd_privacy {
  popsgd::c_api::CEntropy entropy;
  popsgd::Privacy privacy;

  popsgd_privacy(const popsgd::Privacy::Settings& settings, const popsgd_entropy& source)
      : entropy(source), privacy(settings, entropy) {}
};
