#include "check.h"
#include "device/semihosting.h"
#include "start/start.h"

void firmware_test::print(const char* text) noexcept {
  popsgd::cortex_m::semihosting::write(text);
}

void firmware_test::print(unsigned long number) noexcept {
  popsgd::cortex_m::semihosting::write(number);
}

void firmware_test::print_stack() noexcept {
  print("stack ");
  print(static_cast<unsigned long>(popsgd::cortex_m::stack_used()));
  print("\n");
}
