// What the firmware's sensors show can be learned, in integers and in float, on every target.
#include "activity.h"
#include "check.h"
#include "digits.h"
#include "learner.h"

#include <popsgd/agent.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace {

using namespace popsgd;
using firmware_test::check;

alignas(8) std::array<std::byte, 4096> workspace;

// Samples recognised of a thousand, after so many steps without meeting anybody.
template <class Learner>
std::size_t recognised_after(int steps, firmware::Share share = {}) {
  static Learner learner;
  static Agent agent;
  learner = Learner(share);
  AgentConfig config{.seed = 1};
  config.block_length = 130;
  config.largest_frame = 256;
  config.peers = 1;
  config.finished = 2;
  check(learner.begin(agent, config, 1, workspace, Time{}) == Status::ok, "an agent begins");
  for (int k = 0; k < steps; ++k) static_cast<void>(agent.step());
  return learner.recognised(1000);
}

template <template <class> class Learner>
void sensors_are_learned() {
  using firmware::Activity;
  using firmware::Digits;
  check(recognised_after<Learner<Digits>>(0) < 200, "without a step one digit in ten is guessed");
  check(recognised_after<Learner<Digits>>(1500) > 900, "of 1000 digits more than 900 are read");
  check(recognised_after<Learner<Activity>>(3000) > 800,
        "of 1000 windows of strangers more than 800 are told");
}

// Which is why devices meet.
void half_of_the_classes_are_half_of_the_score() {
  check(recognised_after<firmware::FixedLearner<firmware::Digits>>(1000, {0, 2}) < 550,
        "who sees half of the digits reads about half of them");
}

}  // namespace

int main() {
  sensors_are_learned<firmware::FixedLearner>();
  if constexpr (held(Numeric::float32)) sensors_are_learned<firmware::FloatLearner>();
  half_of_the_classes_are_half_of_the_score();
  if (firmware_test::failures == 0) firmware_test::print("all promises kept\n");
  return firmware_test::failures == 0 ? 0 : 1;
}
