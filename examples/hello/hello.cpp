// Two devices learn the temperatures of a day. One has a sensor that works at night, the other one that
// works by day; neither ever sees the other's hours, and no measurement leaves its device. Now and then
// they meet and average their models, and both come to know the whole day.
#include <popsgd/counter.h>
#include <popsgd/gradient.h>
#include <popsgd/merge.h>
#include <popsgd/random.h>
#include <popsgd/schedule.h>
#include <popsgd/sgd.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numbers>

namespace {

constexpr std::size_t kHours = 24;

// The truth, which the devices know only through noisy samples.
float temperature(std::size_t hour) {
  const float phase = 2 * std::numbers::pi_v<float> * (static_cast<float>(hour) - 9) / kHours;
  return 15 + 8 * std::sin(phase);
}

// The model: one temperature an hour. Its loss on a sample (hour h, measured y) is 1/2 (x_h - y)^2.
// The SDK asks for one thing only:  into <- keep * into + scale * gradient,  and the mean loss.
float table_gradient(const void*, popsgd::ConstParams at, const popsgd::Batch& batch, float keep, float scale,
                     popsgd::Params into, popsgd::Scratch) noexcept {
  for (float& value : into) value = keep == 0 ? 0 : keep * value;  // with keep = 0, `into` may hold anything
  float loss = 0;
  for (std::size_t row = 0; row < batch.rows; ++row) {
    const std::uint32_t hour = batch.labels[row];
    const float error = at[hour] - batch.targets[row];
    into[hour] += scale * error / static_cast<float>(batch.rows);
    loss += error * error / 2;
  }
  return loss / static_cast<float>(batch.rows);
}

const popsgd::Gradient kGradient{.function = table_gradient, .parameters = kHours};
constexpr popsgd::Sgd kSgd{};
constexpr popsgd::Schedule kSchedule{.shape = popsgd::Schedule::Shape::inverse, .eta = 0.5F, .horizon = 2000};

// A device owns all of its memory; the SDK allocates nothing.
struct Device {
  std::uint32_t first_hour;  // of the twelve its sensor works
  popsgd::Random noise;
  popsgd::StepCounter steps{};
  std::array<float, kHours> model{};
  std::array<float, kHours> scratch{};

  // One SGD step on one fresh measurement.
  void learn() {
    const std::uint32_t hour = (first_hour + noise.below(kHours / 2)) % kHours;
    const float measured = temperature(hour) + 4 * (noise.uniform() - 0.5F);
    const popsgd::Batch sample{.rows = 1, .labels = {&hour, 1}, .targets = {&measured, 1}};
    kSgd.step(kGradient, sample, kSchedule.rate(steps), model, {}, scratch);
    steps.add_step();
  }

  [[nodiscard]] float error() const {  // root mean square over the whole day
    float sum = 0;
    for (std::size_t h = 0; h < kHours; ++h) sum += (model[h] - temperature(h)) * (model[h] - temperature(h));
    return std::sqrt(sum / kHours);
  }
};

Device device(std::uint32_t index, std::uint32_t first_hour) {
  return {.first_hour = first_hour, .noise = popsgd::Random(2024, popsgd::Purpose::user, index)};
}

void exchange(Device& a, Device& b) {
  popsgd::adopt_average(a.model, b.model);
  meet(a.steps, b.steps);  // what stands in for a clock; the step size runs on it
}

}  // namespace

int main() {
  Device owl = device(0, 18);     // its sensor works from 18:00 to 06:00,
  Device lark = device(1, 6);     // this one's from 06:00 to 18:00;
  Device hermit = device(2, 18);  // and this is an owl that never meets anyone

  std::printf("Error over the whole day, in degrees, while the devices learn\n\n");
  std::printf("meetings   owl and lark   hermit\n");
  for (int meetings = 1; meetings <= 4096; ++meetings) {
    owl.learn();
    hermit.learn();
    for (int step = 0; step < 3; ++step) lark.learn();  // devices need not be equally fast
    exchange(owl, lark);
    if (std::has_single_bit(static_cast<unsigned>(meetings))) {
      std::printf("%8d %14.2f %8.2f\n", meetings, owl.error(), hermit.error());
    }
  }

  std::printf("\n hour    truth      owl   hermit\n");
  for (std::size_t h = 0; h < kHours; h += 2) {
    const int column = static_cast<int>(std::lround(owl.model[h]));
    std::printf("%02zu:00 %8.1f %8.1f %8.1f  %*s\n", h, temperature(h), owl.model[h], hermit.model[h], column,
                "*");
  }
  return owl.error() < 1 ? 0 : 1;
}
