#include "check.h"

#include <cstdio>

void firmware_test::print(const char* text) noexcept {
  std::fputs(text, stdout);
}

void firmware_test::print(unsigned long number) noexcept {
  std::printf("%lu", number);
}
