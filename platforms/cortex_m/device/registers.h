// The few registers that the core itself has, by Arm's v6-M, v7-M and v8-M Architecture Reference Manuals.
#pragma once

#include <cstdint>

namespace popsgd::cortex_m {

/// The register at this address.
[[nodiscard]] inline volatile std::uint32_t& at(std::uintptr_t address) noexcept {
  return *reinterpret_cast<volatile std::uint32_t*>(address);  // NOLINT(performance-no-int-to-ptr)
}

namespace systick {
inline constexpr std::uintptr_t kControl = 0xE000E010;
inline constexpr std::uintptr_t kReload = 0xE000E014;
inline constexpr std::uintptr_t kValue = 0xE000E018;
inline constexpr std::uint32_t kEnable = 1;
inline constexpr std::uint32_t kInterrupt = 2;
inline constexpr std::uint32_t kCoreClock = 4;
inline constexpr std::uint32_t kMost = 0xFFFFFF;
}  // namespace systick

/// Lets interrupt `number` of the core's interrupt controller through.
inline void enable_interrupt(unsigned number) noexcept {
  constexpr std::uintptr_t kSetEnable = 0xE000E100;
  at(kSetEnable + 4 * (number / 32)) = std::uint32_t{1} << number % 32;
}

/// Until the next interrupt.
inline void sleep() noexcept {
  asm volatile("wfi" ::: "memory");
}

/// While this lives no interrupt comes; those that are due come afterwards. WFI wakes of them all the same.
class InterruptsOff {
 public:
  InterruptsOff() noexcept {
    asm volatile("mrs %0, primask" : "=r"(before_)::"memory");
    asm volatile("cpsid i" ::: "memory");
  }
  InterruptsOff(const InterruptsOff&) = delete;
  InterruptsOff& operator=(const InterruptsOff&) = delete;
  InterruptsOff(InterruptsOff&&) = delete;
  InterruptsOff& operator=(InterruptsOff&&) = delete;
  ~InterruptsOff() { asm volatile("msr primask, %0" ::"r"(before_) : "memory"); }

 private:
  std::uint32_t before_;
};

/// Where there is one, it is off at reset.
inline void enable_floating_point() noexcept {
#if defined(__ARM_FP)
  constexpr std::uintptr_t kAccess = 0xE000ED88;
  at(kAccess) = at(kAccess) | 0xFU << 20;
  asm volatile("dsb\n\tisb" ::: "memory");
#endif
}

}  // namespace popsgd::cortex_m
