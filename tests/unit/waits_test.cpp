#include "exchange/waits.h"

#include <cmath>
#include <cstdint>

#include <doctest/doctest.h>

using namespace popsgd;

TEST_CASE(
    "exponential waits are -mean ln u of the same draw, to a thirty-thousandth of the mean and a "
    "millisecond") {
  Random random(1, Purpose::user);
  Random same = random;
  for (const std::uint32_t mean : {1U, 7U, 1000U, 60000U, 2'700'000U}) {
    for (int k = 0; k < 1000; ++k) {
      const double u = 1 - static_cast<double>(same.bits() >> 8) * 0x1p-24;
      const double exact = mean * -std::log(u);
      const std::uint32_t wait = exponential_wait(mean, random);
      CAPTURE(mean);
      CAPTURE(u);
      CHECK(wait >= 1);
      CHECK(std::fabs(wait - std::fmax(exact, 1)) <= 1 + mean / 30000.0);
    }
  }
}

TEST_CASE(
    "spread waits are between half and one and a half of the time, or three and five quarters, and as far on "
    "average") {
  Random random(2, Purpose::user);
  for (const int narrower : {0, 1}) {
    const double width = narrower == 0 ? 0.5 : 0.25;
    double sum = 0;
    for (int k = 0; k < 10000; ++k) {
      const std::uint32_t wait = spread_wait(1000, random, narrower);
      CHECK(wait >= 1000 * (1 - width));
      CHECK(wait <= 1000 * (1 + width));
      sum += wait;
    }
    // Of a uniform distribution: width / sqrt(3), a hundredth of it in the mean; five of these are wrong once in 10^6.
    CHECK(std::fabs(sum / 10000 - 1000) < 5 * 1000 * width / std::sqrt(3.0) / 100 + 1);
  }
  CHECK(spread_wait(0, random) == 1);
}
