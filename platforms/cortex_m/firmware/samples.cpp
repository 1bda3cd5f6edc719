// What a firmware's sensor shows, as CSV for popsgd agent: a sample a line, its features and then its class.
//   popsgd_samples digits|activity COUNT SEED
#include "activity.h"
#include "digits.h"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

constexpr const char* kUsage =
    "popsgd_samples digits|activity COUNT SEED: so many samples, as CSV, the class in the last column\n"
    "  popsgd_samples digits 2000 1 >digits.csv\n"
    "  popsgd agent --data digits.csv:standardise=none --model softmax --swarm digits\n";

template <class Sensor>
void print(unsigned long count, unsigned long seed) {
  Sensor sensor(seed);
  for (unsigned long k = 0; k < count; ++k) {
    const popsgd::FixedBatch& sample = sensor.next();
    for (const std::int16_t feature : sample.features)
      std::printf("%.8g,", static_cast<double>(feature) / (1 << Sensor::kFraction));
    std::printf("%u\n", static_cast<unsigned>(sample.labels[0]));
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view what = count == 4 ? arguments[1] : "";
  char* end = nullptr;
  const unsigned long samples = count == 4 ? std::strtoul(arguments[2], &end, 10) : 0;
  if (samples == 0 || *end != 0 || (what != "digits" && what != "activity")) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const unsigned long seed = std::strtoul(arguments[3], nullptr, 10);
  what == "digits" ? print<firmware::Digits>(samples, seed) : print<firmware::Activity>(samples, seed);
  return 0;
}
