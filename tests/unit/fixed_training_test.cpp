#include "numeric/crc32c.h"

#include <popsgd/fixed_network.h>
#include <popsgd/network.h>
#include <popsgd/sgd.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::FixedBatch;
using popsgd::FixedNetwork;
using popsgd::FixedRate;
using popsgd::LayerFormat;
using popsgd::Loss;
using popsgd::Network;
using popsgd::Purpose;
using popsgd::Random;

constexpr std::array<std::uint32_t, 3> kWidths{8, 24, 4};
constexpr std::size_t kRows = 16;
constexpr int kFraction = 8;

// Points around the corners of a cube in the first three features, the others noise; their class is a matter of parity,
// which no linear model finds. Made by integers alone.
struct Points {
  std::vector<std::int16_t> features;
  std::vector<std::uint32_t> labels;
  std::vector<float> float_features;

  Points(std::size_t count, std::uint64_t seed) {
    Random random(seed, Purpose::data);
    for (std::size_t row = 0; row < count; ++row) {
      const std::uint32_t corner = random.below(8);
      for (std::size_t k = 0; k < kWidths[0]; ++k) {
        std::int32_t value = k < 3 ? ((corner >> k & 1U) != 0 ? 256 : -256) : 0;  // +-1, in units of 2^-8
        for (int term = 0; term < 3; ++term) value += static_cast<std::int32_t>(random.bits() >> 24) - 128;
        features.push_back(static_cast<std::int16_t>(value));  // variance 1/4
        float_features.push_back(static_cast<float>(value) * 0x1p-8F);
      }
      labels.push_back((corner & 1U) * 2 + ((corner >> 1U ^ corner >> 2U) & 1U));
    }
  }
  [[nodiscard]] std::size_t size() const { return labels.size(); }

  [[nodiscard]] FixedBatch batch(std::size_t start, std::size_t rows) const {
    return {rows, std::span(features).subspan(start * kWidths[0], rows * kWidths[0]), kFraction,
            std::span(labels).subspan(start, rows)};
  }
  [[nodiscard]] popsgd::Batch float_batch(std::size_t start, std::size_t rows) const {
    return {rows,
            std::span(float_features).subspan(start * kWidths[0], rows * kWidths[0]),
            std::span(labels).subspan(start, rows),
            {}};
  }
};

// How a run has gone: mean losses of its first and last hundredth, and the accuracy on other points in per cent.
struct Run {
  double early = 0;
  double late = 0;
  double accuracy = 0;

  void add(int step, int steps, double loss) {
    const int part = steps / 100;
    if (step < part) early += loss / part;
    if (step >= steps - part) late += loss / part;
  }
};

constexpr float kEta = 0.1F;

Run train_float(const Points& train, const Points& test, int steps) {
  const Network network = Network::make(kWidths, Loss::cross_entropy).value();
  std::vector<float> x(network.parameters());
  std::vector<float> scratch(network.scratch_size(test.size()));
  network.initialise(x, Random(1, Purpose::initial_model));
  const auto gradient = network.gradient(kRows);
  const popsgd::Sgd sgd;
  Random batches(1, Purpose::batches);
  Run run;
  for (int step = 0; step < steps; ++step) {
    const std::size_t start = batches.below(static_cast<std::uint32_t>(train.size() - kRows));
    run.add(step, steps,
            static_cast<double>(sgd.step(gradient, train.float_batch(start, kRows), kEta, x, {}, scratch)));
  }
  const auto correct = network.evaluate(x, test.float_batch(0, test.size()), scratch).correct;
  run.accuracy = 100.0 * static_cast<double>(correct) / static_cast<double>(test.size());
  return run;
}

template <typename Weight, typename Activation>
struct FixedRun {
  Run run{};
  std::vector<Weight> x{};
  std::uint64_t saturated = 0;

  FixedRun(const Points& train, const Points& test, int steps) {
    using Fixed = FixedNetwork<Weight, Activation>;
    std::array<LayerFormat, 2> formats;
    Fixed::choose_formats(kWidths, formats);
    const Fixed network = Fixed::make(kWidths, Loss::cross_entropy, formats).value();
    std::vector<std::int32_t> scratch(network.scratch_size(test.size()));
    x.resize(network.parameters());
    network.initialise(x, Random(1, Purpose::initial_model));
    Random batches(1, Purpose::batches);
    Random noise(1, Purpose::local_steps);
    for (int step = 0; step < steps; ++step) {
      const std::size_t start = batches.below(static_cast<std::uint32_t>(train.size() - kRows));
      const std::int32_t loss = network.step(
          x, train.batch(start, kRows), {.mantissa = 3435973836U, .shift = 35}, noise, scratch, saturated);
      run.add(step, steps, loss * 0x1p-16);
    }
    const auto correct = network.evaluate(x, test.batch(0, test.size()), scratch).correct;
    run.accuracy = 100.0 * static_cast<double>(correct) / static_cast<double>(test.size());
  }

  // Of the weights as bytes, the lower first.
  [[nodiscard]] std::uint32_t checksum() const {
    std::vector<std::byte> bytes;
    for (const Weight w : x) {
      for (std::size_t k = 0; k < sizeof(Weight); ++k) bytes.push_back(static_cast<std::byte>(w >> (8 * k)));
    }
    return popsgd::numeric::crc32c(bytes);
  }
};

void check_like(const Run& fixed, const Run& in_float) {
  CHECK(fixed.early == doctest::Approx(in_float.early).epsilon(0.02));
  CHECK(fixed.late < 0.5 * fixed.early);
  CHECK(fixed.late == doctest::Approx(in_float.late).epsilon(0.15));
  CHECK(std::fabs(fixed.accuracy - in_float.accuracy) <= 1);
}

TEST_CASE("in fixed point the loss falls as in float, and the accuracy is within a point") {
  const Points train(4000, 1);
  const Points test(4000, 2);
  constexpr int kSteps = 10000;
  const Run in_float = train_float(train, test, kSteps);
  INFO("float: " << in_float.early << " -> " << in_float.late << ", " << in_float.accuracy << "%");
  REQUIRE(in_float.accuracy > 85);
  const FixedRun<std::int16_t, std::int16_t> wide(train, test, kSteps);
  const FixedRun<std::int8_t, std::int16_t> narrow(train, test, kSteps);
  const FixedRun<std::int8_t, std::int8_t> narrowest(train, test, kSteps);
  for (const Run& run : {wide.run, narrow.run, narrowest.run}) {
    INFO("fixed: " << run.early << " -> " << run.late << ", " << run.accuracy << "%");
    check_like(run, in_float);
  }
  CHECK(wide.saturated == 0);
}

// y = 0.75 x0 - 0.5 x1 + 0.25 and noise of deviation 0.1; the class is whether y is positive.
struct Line {
  static constexpr std::size_t kCount = 4096;
  std::vector<std::int16_t> features{};  // of 2^-10
  std::vector<std::int16_t> targets{};   // of 2^-12
  std::vector<std::uint32_t> labels{};

  Line() {
    Random random(1, Purpose::data);
    for (std::size_t row = 0; row < kCount; ++row) {
      const float x0 = random.normal();
      const float x1 = random.normal();
      const float y = 0.75F * x0 - 0.5F * x1 + 0.25F + 0.1F * random.normal();
      features.push_back(static_cast<std::int16_t>(std::lround(x0 * 1024)));
      features.push_back(static_cast<std::int16_t>(std::lround(x1 * 1024)));
      targets.push_back(static_cast<std::int16_t>(std::lround(y * 4096)));
      labels.push_back(y > 0 ? 1 : 0);
    }
  }
  [[nodiscard]] FixedBatch batch(std::size_t row, Loss loss) const {
    const auto x = std::span(features).subspan(2 * row, 2 * kRows);
    if (loss == Loss::squared) return {kRows, x, 10, {}, std::span(targets).subspan(row, kRows), 12};
    return {kRows, x, 10, std::span(labels).subspan(row, kRows)};
  }
};

TEST_CASE("linear regression finds the line, and logistic regression its side, to the noise of the steps") {
  const Line line;
  constexpr std::array<std::uint32_t, 2> kWidth{2, 1};
  constexpr std::array<LayerFormat, 1> kFormats{{{.weights = 12, .biases = 12}}};
  for (const Loss loss : {Loss::squared, Loss::logistic}) {
    const auto network = FixedNetwork<std::int16_t, std::int16_t>::make(kWidth, loss, kFormats).value();
    std::vector<std::int16_t> x(network.parameters());
    std::vector<std::int32_t> scratch(network.scratch_size(kRows));
    Random noise(1, Purpose::local_steps);
    std::uint64_t saturated = 0;
    const FixedRate rate = FixedRate::from(0.02);
    for (std::size_t step = 0; step < 10000; ++step) {
      (void)network.step(x, line.batch(step * kRows % Line::kCount, loss), rate, noise, scratch, saturated);
    }
    CHECK(saturated == 0);
    if (loss == Loss::squared) {
      CHECK(x[0] / 4096.0 == doctest::Approx(0.75).epsilon(0.02));
      CHECK(x[1] / 4096.0 == doctest::Approx(-0.5).epsilon(0.02));
      CHECK(x[2] / 4096.0 == doctest::Approx(0.25).epsilon(0.02));
    } else {
      std::size_t correct = 0;
      for (std::size_t row = 0; row < Line::kCount; row += kRows) {
        correct += network.evaluate(x, line.batch(row, loss), scratch).correct;
      }
      CHECK(correct > Line::kCount * 95 / 100);  // the noise decides 3 in 100
    }
  }
}

TEST_CASE("a user's own step sits in the same place as a network's") {
  // The median of what comes in, a unit at a time: the gradient of |x - feature| is a sign.
  const auto step = [](const void* context, std::span<std::int8_t> x, const FixedBatch& batch,
                       FixedRate /*rate*/, Random& noise, std::span<std::int32_t> /*scratch*/,
                       std::uint64_t& /*saturated*/) noexcept {
    const std::int32_t start = x[0];
    std::int32_t loss = 0;
    for (std::size_t row = 0; row < batch.rows; ++row) {
      const std::int32_t error = start - batch.features[row];
      loss += (error < 0 ? -error : error) << 16;
      if (noise.below(*static_cast<const std::uint32_t*>(context)) != 0) continue;
      x[0] = static_cast<std::int8_t>(x[0] - (error > 0 ? 1 : 0) + (error < 0 ? 1 : 0));
    }
    return loss / static_cast<std::int32_t>(batch.rows);
  };
  const std::uint32_t one_in = 2;
  const popsgd::FixedGradient<std::int8_t> gradient{.function = step, .context = &one_in, .parameters = 1};
  const std::vector<std::int16_t> features{3, 40, 41, 42, 100};
  std::vector<std::int8_t> x{0};
  Random noise(1, Purpose::local_steps);
  std::uint64_t saturated = 0;
  CHECK(gradient(x, {.rows = 5, .features = features}, {}, noise, {}, saturated) == (226 << 16) / 5);
  for (int k = 0; k < 200; ++k)
    (void)gradient(x, {.rows = 5, .features = features}, {}, noise, {}, saturated);
  CHECK(x[0] >= 39);
  CHECK(x[0] <= 43);
}

TEST_CASE("a run's weights are these bits, whatever the compiler and the target") {
  const Points points(500, 3);
  CHECK(FixedRun<std::int16_t, std::int16_t>(points, points, 300).checksum() == 700205713U);
  CHECK(FixedRun<std::int8_t, std::int16_t>(points, points, 300).checksum() == 1496500642U);
  CHECK(FixedRun<std::int8_t, std::int8_t>(points, points, 300).checksum() == 2918558093U);
}

}  // namespace
