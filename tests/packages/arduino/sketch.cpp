// The package's sketch, as an Arduino core would run it; its model has to become 2, -1 and 0, in units of 2^-12.
#include "learn.ino"

int main() {
  setup();
  for (; the_time < 300000; the_time += 10) loop();
  const bool learned =
      std::abs(weights[0] - 8192) < 200 && std::abs(weights[1] + 4096) < 200 && std::abs(weights[2]) < 200;
  std::printf("weights %d %d %d\n", weights[0], weights[1], weights[2]);
  return learned && agent.metrics().offers > 0 ? 0 : 1;
}
