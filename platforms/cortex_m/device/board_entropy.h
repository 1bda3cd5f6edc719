// Bytes that nobody can foretell, as far as the board has any.
#pragma once

#include <popsgd/entropy.h>

#include <cstddef>
#include <span>

namespace popsgd::cortex_m {

/// micro:bit: the nRF51's random number generator, thermal noise with its bias corrected; on QEMU it is the host's generator
/// that answers (with -seed a foretellable one). MPS2 has none: there it is a file of the host, /dev/urandom, by
/// semihosting, so without an emulator or a debugger there is no entropy, and the answer says so.
class BoardEntropy final : public Entropy {
 public:
  [[nodiscard]] Status fill(std::span<std::byte> into) noexcept override;
};

}  // namespace popsgd::cortex_m
