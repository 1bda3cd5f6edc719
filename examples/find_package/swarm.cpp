// Two kinds of model, learned by a swarm in one process: a softmax regression the SDK brings, and a
// gradient of the user's own, the median of numbers. Both run through the same SGD step and the same merge.
#include <popsgd/merge.h>
#include <popsgd/network.h>
#include <popsgd/random.h>
#include <popsgd/sgd.h>
#include <popsgd/version.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace {

constexpr std::uint64_t kSeed = 7;
constexpr std::size_t kAgents = 8;
constexpr std::size_t kBatch = 4;

// Every agent takes a local step, then two that meet move to their average.
template <typename Draw>
void learn(std::vector<std::vector<float>>& models, const popsgd::Gradient& gradient, float eta, int rounds,
           Draw draw) {
  popsgd::Random pairs(kSeed, popsgd::Purpose::pairs);
  const popsgd::Sgd sgd;
  std::vector<float> scratch(sgd.scratch_size(gradient));
  for (int round = 0; round < rounds; ++round) {
    for (auto& model : models) sgd.step(gradient, draw(), eta, model, {}, scratch);
    const std::uint32_t a = pairs.below(kAgents);
    const std::uint32_t b = (a + 1 + pairs.below(kAgents - 1)) % kAgents;
    popsgd::adopt_average(models[a], models[b]);
  }
}

// f(x; y) = |x - y|, whose minimum over many y is their median. Gradient: sign(x - y).
float median_gradient(const void*, popsgd::ConstParams at, const popsgd::Batch& batch, float keep,
                      float scale, popsgd::Params into, popsgd::Scratch) noexcept {
  float gradient = 0;
  float loss = 0;
  for (const float y : batch.targets) {
    gradient += at[0] < y ? -1.0F : 1.0F;
    loss += std::fabs(at[0] - y);
  }
  const float share = 1 / static_cast<float>(batch.rows);
  into[0] = (keep == 0 ? 0 : keep * into[0]) + scale * gradient * share;
  return loss * share;
}

bool learn_median() {
  popsgd::Random data(kSeed, popsgd::Purpose::user, 1);
  std::array<float, kBatch> targets{};
  const auto draw = [&] {  // y = u^2, u uniform in [0, 1): median 1/4, mean 1/3
    for (float& y : targets) y = std::pow(data.uniform(), 2.0F);
    return popsgd::Batch{.rows = kBatch, .targets = targets};
  };
  std::vector<std::vector<float>> models(kAgents, std::vector<float>(1, 1.0F));
  learn(models, {.function = median_gradient, .parameters = 1, .in_place = true}, 0.005F, 4000, draw);
  std::printf("median of u^2:          %.3f (exact: 0.250)\n", models[0][0]);
  return std::fabs(models[0][0] - 0.25F) < 0.05F;
}

bool learn_classes() {
  // Points (x, y) of the unit square: class 0 below the diagonal, class 1 above it.
  constexpr std::array<std::uint32_t, 2> widths{2, 2};
  const auto network = popsgd::Network::make(widths, popsgd::Loss::cross_entropy);
  if (!network.ok()) {
    std::printf("%s\n", popsgd::text(network.status()).data());
    return false;
  }
  popsgd::Random data(kSeed, popsgd::Purpose::user, 2);
  std::vector<float> features;
  std::vector<std::uint32_t> labels;
  const auto draw_rows = [&](std::size_t rows) {
    features.resize(rows * 2);
    labels.resize(rows);
    for (std::size_t row = 0; row < rows; ++row) {
      features[2 * row] = data.uniform();
      features[2 * row + 1] = data.uniform();
      labels[row] = features[2 * row] < features[2 * row + 1] ? 1 : 0;
    }
    return popsgd::Batch{.rows = rows, .features = features, .labels = labels};
  };
  std::vector<std::vector<float>> models(kAgents, std::vector<float>(network->parameters()));
  learn(models, network->gradient(kBatch), 0.5F, 2000, [&] { return draw_rows(kBatch); });

  constexpr std::size_t kTest = 1000;
  std::vector<float> scratch(network->scratch_size(kTest));
  const std::size_t correct = network->evaluate(models[0], draw_rows(kTest), scratch).correct;
  std::printf("above the diagonal?     %.1f %% right\n", 100.0 * static_cast<double>(correct) / kTest);
  return correct > 950;
}

}  // namespace

int main() {
  std::printf("popsgd " POPSGD_VERSION ", a swarm of %zu\n", kAgents);
  const bool median = learn_median();
  const bool classes = learn_classes();
  return median && classes ? 0 : 1;
}
