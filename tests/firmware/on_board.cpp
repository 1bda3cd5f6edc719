#include "check.h"
#include "device/semihosting.h"

void firmware_test::print(const char* text) noexcept {
  popsgd::cortex_m::semihosting::write(text);
}

void firmware_test::print(unsigned long number) noexcept {
  popsgd::cortex_m::semihosting::write(number);
}
