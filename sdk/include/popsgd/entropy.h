// Bytes that nobody can foretell: implemented by the platform.
#pragma once

#include <popsgd/status.h>

#include <cstddef>
#include <span>

namespace popsgd {

/// A true source of randomness: a hardware generator, the kernel's pool. Main loops draw AgentConfig::seed from it, at every
/// start anew; transports that encrypt draw their keys.
class Entropy {
 public:
  /// Fills all of `into`. no_entropy: there is none, `into` means nothing, and whoever asked must not go on with what was
  /// there before: two devices that draw the same seed take each other's offers for their own.
  ///
  /// Called rarely, a few hundred bytes at a time. May block until the source is ready, as right after power-on, and
  /// calls back nobody.
  [[nodiscard]] virtual Status fill(std::span<std::byte> into) noexcept = 0;

 protected:
  Entropy() = default;
  Entropy(const Entropy&) = default;
  Entropy(Entropy&&) = default;
  Entropy& operator=(const Entropy&) = default;
  Entropy& operator=(Entropy&&) = default;
  ~Entropy() = default;  // nobody owns a source through this class
};

}  // namespace popsgd
