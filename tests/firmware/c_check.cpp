#include "c_check.h"

#include "check.h"

void check(bool holds, const char* promise) {
  firmware_test::check(holds, promise);
}

int checked() {
  firmware_test::print_stack();
  if (firmware_test::failures == 0) firmware_test::print("all promises kept\n");
  return firmware_test::failures == 0 ? 0 : 1;
}
