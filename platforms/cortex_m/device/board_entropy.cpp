#include "device/board_entropy.h"

#include "boards/board.h"
#include "device/registers.h"
#include "device/semihosting.h"

namespace popsgd::cortex_m {

#if defined(POPSGD_BOARD_MICROBIT)

// nRF51 Series Reference Manual, chapter RNG.
Status BoardEntropy::fill(std::span<std::byte> into) noexcept {
  const auto generator = [](std::uintptr_t offset) -> volatile std::uint32_t& {
    return at(board::kRandom + offset);
  };
  constexpr std::uintptr_t kStart = 0x000;
  constexpr std::uintptr_t kStop = 0x004;
  constexpr std::uintptr_t kReady = 0x100;
  constexpr std::uintptr_t kConfig = 0x504;
  constexpr std::uintptr_t kValue = 0x508;
  generator(kConfig) = 1;  // corrects the bias
  generator(kReady) = 0;
  generator(kStart) = 1;
  for (std::byte& byte : into) {
    while (generator(kReady) == 0) {
    }
    generator(kReady) = 0;
    byte = static_cast<std::byte>(generator(kValue));
  }
  generator(kStop) = 1;
  return Status::ok;
}

#else

Status BoardEntropy::fill(std::span<std::byte> into) noexcept {
  semihosting::File file("/dev/urandom", semihosting::File::Mode::read);
  return file.is_open() && file.read(into) ? Status::ok : Status::no_entropy;
}

#endif

}  // namespace popsgd::cortex_m
