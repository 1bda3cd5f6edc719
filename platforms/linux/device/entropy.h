// The kernel's random bytes.
#pragma once

#include <popsgd/entropy.h>

#include <cstddef>

#include <sys/types.h>

namespace popsgd::device {

/// getrandom(2): needs no file, and gives nothing before the kernel's pool has been seeded.
class KernelEntropy final : public Entropy {
 public:
  /// As getrandom(2) is called; a test gives another.
  using Source = ssize_t (*)(void* into, std::size_t length, unsigned flags);
  explicit KernelEntropy(Source source = nullptr) noexcept;

  [[nodiscard]] Status fill(std::span<std::byte> into) noexcept override;

 private:
  Source source_;
};

}  // namespace popsgd::device
