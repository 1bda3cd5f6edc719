#include <popsgd/fixed_network.h>
#include <popsgd/network.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
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
using popsgd::Status;
using popsgd::Tensor;
using Widths = std::vector<std::uint32_t>;

constexpr int kFeatures = 8;  // binary places
constexpr int kTargets = 12;

// A fixed network with a random model and batch for it, and the same in float.
template <typename Weight, typename Activation>
struct Case {
  using Fixed = FixedNetwork<Weight, Activation>;

  Widths widths;
  Loss loss;
  bool by_target;
  std::size_t rows;
  std::vector<LayerFormat> formats{};
  Fixed fixed{};
  Network network{};
  std::vector<Weight> x{};
  std::vector<std::int16_t> features{};
  std::vector<std::int16_t> targets{};
  std::vector<std::uint32_t> labels{};
  std::vector<float> float_features{};
  std::vector<float> float_targets{};

  void fill(std::uint64_t seed) {
    formats.resize(widths.size() - 1);
    Fixed::choose_formats(widths, formats);
    fixed = Fixed::make(widths, loss, formats).value();
    network = Network::make(widths, loss).value();
    Random random(seed, Purpose::user);
    x.resize(fixed.parameters());
    // In all layers, the last too: a third of what the type holds.
    for (Weight& w : x) w = static_cast<Weight>(std::numeric_limits<Weight>::max() / 4 * random.normal() / 3);
    for (std::size_t k = 0; k < rows * fixed.inputs(); ++k) {
      features.push_back(static_cast<std::int16_t>(std::ldexp(random.normal(), kFeatures)));
      float_features.push_back(std::ldexp(static_cast<float>(features.back()), -kFeatures));
    }
    for (std::size_t k = 0; by_target && k < rows * fixed.outputs(); ++k) {
      targets.push_back(static_cast<std::int16_t>(std::ldexp(random.normal(), kTargets)));
      float_targets.push_back(std::ldexp(static_cast<float>(targets.back()), -kTargets));
    }
    const std::uint32_t classes = loss == Loss::logistic ? 2 : widths.back();
    for (std::size_t row = 0; !by_target && row < rows; ++row) labels.push_back(random.below(classes));
  }

  [[nodiscard]] FixedBatch batch() const { return {rows, features, kFeatures, labels, targets, kTargets}; }
  [[nodiscard]] popsgd::Batch float_batch() const { return {rows, float_features, labels, float_targets}; }

  // What a unit of each parameter is worth.
  [[nodiscard]] std::vector<float> units() const {
    std::vector<Tensor> tensors(fixed.tensors());
    fixed.layout(tensors);
    std::vector<float> units;
    for (const Tensor& tensor : tensors)
      units.insert(units.end(), tensor.length, std::ldexp(1.0F, -tensor.fraction));
    return units;
  }
  [[nodiscard]] std::vector<float> float_x() const {
    std::vector<float> values = units();
    for (std::size_t k = 0; k < x.size(); ++k) values[k] *= static_cast<float>(x[k]);
    return values;
  }

  [[nodiscard]] std::vector<std::int32_t> scratch() const {
    return std::vector<std::int32_t>(fixed.scratch_size(rows), -1);
  }
  [[nodiscard]] std::string name() const {
    std::string text = "loss " + std::to_string(static_cast<int>(loss)) +
                       (by_target ? " targets" : " labels") + ", rows " + std::to_string(rows) + ", widths";
    for (const std::uint32_t width : widths) text += " " + std::to_string(width);
    return text;
  }
};

template <typename Weight, typename Activation>
std::vector<Case<Weight, Activation>> all_cases() {
  std::vector<Case<Weight, Activation>> cases;
  const auto add = [&](const Widths& widths, Loss loss, bool by_target = false) {
    for (const std::size_t rows : {1UL, 5UL, 16UL}) {
      cases.push_back({widths, loss, by_target, rows});
      cases.back().fill(cases.size());
    }
  };
  add({7, 1}, Loss::squared, true);
  add({5, 3}, Loss::squared);
  add({17, 1}, Loss::logistic);
  add({19, 5}, Loss::cross_entropy);
  add({7, 5, 3}, Loss::cross_entropy);
  add({9, 17, 1}, Loss::logistic);
  add({3, 5, 33, 2}, Loss::squared, true);
  add({300, 9, 13, 7, 4}, Loss::cross_entropy);
  return cases;
}

double norm(const std::vector<double>& v) {
  double squares = 0;
  for (const double x : v) squares += x * x;
  return std::sqrt(squares);
}

// The mean gradient over the batch by the formulas in network.h, in double, of a network that rounds its hidden
// activations as the fixed one does.
template <typename Weight, typename Activation>
std::vector<double> reference_gradient(const Case<Weight, Activation>& c) {
  const std::vector<float> x = c.float_x();
  const std::size_t layers = c.widths.size() - 1;
  std::vector<double> gradient(x.size());
  for (std::size_t row = 0; row < c.rows; ++row) {
    std::vector<std::vector<double>> a(layers + 1);  // of every layer; the last are the outputs
    std::vector<std::size_t> offsets;
    for (std::size_t i = 0; i < c.widths[0]; ++i) {
      a[0].push_back(static_cast<double>(c.float_features[row * c.widths[0] + i]));
    }
    for (std::size_t l = 0; l < layers; ++l) {
      const std::size_t inputs = c.widths[l];
      const std::size_t outputs = c.widths[l + 1];
      offsets.push_back(l == 0 ? 0 : offsets[l - 1] + (c.widths[l - 1] + 1) * inputs);
      for (std::size_t j = 0; j < outputs; ++j) {
        auto z = static_cast<double>(x[offsets[l] + outputs * inputs + j]);
        for (std::size_t i = 0; i < inputs; ++i)
          z += static_cast<double>(x[offsets[l] + j * inputs + i]) * a[l][i];
        const int fraction = c.formats[l].activations;
        if (l + 1 < layers)
          z = std::max(std::ldexp(std::floor(std::ldexp(z, fraction) + 0.5), -fraction), 0.0);
        a[l + 1].push_back(z);
      }
    }
    std::vector<double> error = a[layers];
    double total = 0;
    for (const double z : error) total += std::exp(z);
    for (std::size_t k = 0; k < error.size(); ++k) {
      const bool is_label = !c.by_target && c.labels[row] == k;
      if (c.loss == Loss::cross_entropy) {
        error[k] = std::exp(error[k]) / total - (is_label ? 1 : 0);
      } else if (c.loss == Loss::logistic) {
        error[k] = 1 / (1 + std::exp(-error[k])) - c.labels[row];
      } else {
        error[k] -=
            c.by_target ? static_cast<double>(c.float_targets[row * error.size() + k]) : (is_label ? 1 : 0);
      }
    }
    for (std::size_t l = layers; l-- > 0;) {
      const std::size_t inputs = c.widths[l];
      std::vector<double> below(inputs);
      for (std::size_t j = 0; j < error.size(); ++j) {
        for (std::size_t i = 0; i < inputs; ++i) {
          const std::size_t place = offsets[l] + j * inputs + i;
          if (a[l][i] > 0) below[i] += error[j] * static_cast<double>(x[place]);
          gradient[place] += error[j] * a[l][i] / static_cast<double>(c.rows);
        }
        gradient[offsets[l] + error.size() * inputs + j] += error[j] / static_cast<double>(c.rows);
      }
      error = below;
    }
  }
  return gradient;
}

template <typename Weight, typename Activation>
std::vector<double> float_gradient(const Case<Weight, Activation>& c) {
  std::vector<float> gradient(c.x.size());
  std::vector<float> scratch(c.network.scratch_size(c.rows));
  (void)c.network.add_gradient(c.float_x(), c.float_batch(), 0, 1, gradient, scratch);
  return {gradient.begin(), gradient.end()};
}

// The mean of many steps from the same model against an exact gradient: rounding is unbiased.
template <typename Weight, typename Activation>
void check_steps(const Case<Weight, Activation>& c, const std::vector<double>& exact, double tolerance) {
  constexpr int kDraws = 400;
  constexpr double kEta = 0.25;
  auto scratch = c.scratch();
  REQUIRE(c.fixed.check(c.x, c.batch(), scratch) == Status::ok);
  Random noise(1, Purpose::user);
  std::uint64_t saturated = 0;
  std::vector<double> moved(c.x.size());
  for (int draw = 0; draw < kDraws; ++draw) {
    auto x = c.x;
    (void)c.fixed.step(x, c.batch(), FixedRate::from(kEta), noise, scratch, saturated);
    for (std::size_t k = 0; k < x.size(); ++k) moved[k] += static_cast<double>(c.x[k] - x[k]) / kDraws;
  }
  REQUIRE(saturated == 0);
  const std::vector<float> units = c.units();
  std::vector<double> difference(c.x.size());
  double noise_squared = 0;  // of the rounding: variance at most a quarter of a unit squared
  for (std::size_t k = 0; k < exact.size(); ++k) {
    const auto unit = static_cast<double>(units[k]) / kEta;
    difference[k] = moved[k] * unit - exact[k];
    noise_squared += unit * unit / 4 / kDraws;
  }
  CHECK(norm(difference) <= tolerance * norm(exact) + 3 * std::sqrt(noise_squared));
}

template <typename Weight, typename Activation>
void check_against_reference() {
  for (const auto& c : all_cases<Weight, Activation>()) {
    CAPTURE(c.name());
    check_steps(c, reference_gradient(c), 1e-4);
  }
}

TEST_CASE("a step is the gradient's, of the network with rounded activations, to four digits") {
  check_against_reference<std::int16_t, std::int16_t>();
  check_against_reference<std::int8_t, std::int16_t>();
  check_against_reference<std::int8_t, std::int8_t>();
}

template <typename Weight>
void check_against_float() {
  for (const auto& c : all_cases<Weight, std::int16_t>()) {
    CAPTURE(c.name());
    // A ReLU may be open for one and closed for the other, where there are any.
    check_steps(c, float_gradient(c), c.fixed.layers() == 1 ? 1e-4 : 0.02);
  }
}

TEST_CASE("a step is the float network's on the same model, within the activations' coarseness") {
  check_against_float<std::int16_t>();
  check_against_float<std::int8_t>();
}

template <typename Weight, typename Activation>
void check_forward(double tolerance) {
  for (const auto& c : all_cases<Weight, Activation>()) {
    CAPTURE(c.name());
    auto scratch = c.scratch();
    std::vector<float> float_scratch(c.network.scratch_size(c.rows));
    std::uint64_t saturated = 0;
    const auto z = c.fixed.forward(c.x, c.batch(), scratch, saturated);
    const auto exact = c.network.forward(c.float_x(), c.float_batch(), float_scratch);
    REQUIRE(z.size() == exact.size());
    for (std::size_t k = 0; k < z.size(); ++k) {
      REQUIRE(std::fabs(z[k] * 0x1p-16 - static_cast<double>(exact[k])) <= tolerance);
    }
    const auto result = c.fixed.evaluate(c.x, c.batch(), scratch);
    const auto expected = c.network.evaluate(c.float_x(), c.float_batch(), float_scratch);
    CHECK(static_cast<double>(result.loss) * 0x1p-16 == doctest::Approx(expected.loss).epsilon(tolerance));
    if (tolerance < 0.1) CHECK(result.correct == expected.correct);
    CHECK(result.saturated == 0);
  }
}

TEST_CASE("values and losses are the float network's on the same model") {
  check_forward<std::int16_t, std::int16_t>(0.05);
  check_forward<std::int8_t, std::int16_t>(0.05);
  check_forward<std::int8_t, std::int8_t>(0.5);
}

TEST_CASE("errors of 4e-5 late in training still move the weights, by the right amount on average") {
  const Widths widths{1, 2};
  const std::vector<LayerFormat> formats{{.weights = 12, .biases = 12}};
  const auto fixed =
      FixedNetwork<std::int16_t, std::int16_t>::make(widths, Loss::cross_entropy, formats).value();
  const std::vector<std::int16_t> start{5 << 12, -5 << 12, 0, 0};
  const std::vector<std::int16_t> one{1 << 8};
  const std::vector<std::uint32_t> label{0};
  std::vector<std::int32_t> scratch(fixed.scratch_size(1));
  Random noise(1, Purpose::user);
  std::uint64_t saturated = 0;
  constexpr int kDraws = 100000;
  double moved = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    auto x = start;
    (void)fixed.step(x, {1, one, 8, label}, FixedRate::from(0.1), noise, scratch, saturated);
    moved += x[0] - start[0];
  }
  const double expected = kDraws * 0.1 * 4096 * std::exp(-10.0) / (1 + std::exp(-10.0));
  CHECK(std::fabs(moved - expected) <= 5 * std::sqrt(expected));
}

template <typename Weight>
void check_initial() {
  const Widths widths{100, 30, 10};
  std::vector<LayerFormat> formats(2);
  FixedNetwork<Weight, std::int16_t>::choose_formats(widths, formats);
  const auto fixed = FixedNetwork<Weight, std::int16_t>::make(widths, Loss::cross_entropy, formats).value();
  const Network network = Network::make(widths, Loss::cross_entropy).value();
  std::vector<Weight> x(fixed.parameters(), 1);
  std::vector<float> exact(network.parameters());
  fixed.initialise(x, Random(3, Purpose::initial_model));
  network.initialise(exact, Random(3, Purpose::initial_model));
  for (std::size_t k = 0; k < x.size(); ++k) {
    REQUIRE(std::fabs(static_cast<double>(x[k]) -
                      std::ldexp(static_cast<double>(exact[k]), formats[0].weights)) <= 0.501);
  }
}

TEST_CASE("the initial model is the float network's, to nearest") {
  check_initial<std::int16_t>();
  check_initial<std::int8_t>();
}

template <typename Weight, typename Activation>
void check_rates() {
  for (const auto& c : all_cases<Weight, Activation>()) {
    CAPTURE(c.name());
    auto scratch = c.scratch();
    const std::vector<double> gradient = reference_gradient(c);
    Random noise(1, Purpose::user);
    auto x = c.x;
    std::uint64_t saturated = 0;
    for (const FixedRate none : {FixedRate{}, FixedRate{.mantissa = 0, .shift = 127}}) {
      (void)c.fixed.step(x, c.batch(), none, noise, scratch, saturated);
      CHECK(x == c.x);
    }
    CHECK(saturated == 0);
    for (const double eta : {1e3, 1e6, 4e9}) {
      x = c.x;
      saturated = 0;
      (void)c.fixed.step(x, c.batch(), FixedRate::from(eta), noise, scratch, saturated);
      std::uint64_t at_the_end = 0;
      for (std::size_t k = 0; k < x.size(); ++k) {
        if (std::fabs(gradient[k]) < std::max(0.02, 1e-3 * norm(gradient))) continue;
        using Range = std::numeric_limits<Weight>;
        REQUIRE(x[k] == (gradient[k] > 0 ? Range::min() : Range::max()));
        ++at_the_end;
      }
      CHECK(saturated >= at_the_end);
    }
  }
}

TEST_CASE("a step at any rate ends within the type, its saturations counted; at rate 0 nothing moves") {
  check_rates<std::int16_t, std::int16_t>();
  check_rates<std::int8_t, std::int16_t>();
  check_rates<std::int8_t, std::int8_t>();
}

// Where nothing comes in nothing is learned but the biases; where all weights are zero, too.
template <typename Weight, typename Activation>
void check_silence() {
  for (const auto& c : all_cases<Weight, Activation>()) {
    CAPTURE(c.name());
    auto scratch = c.scratch();
    const std::vector<std::int16_t> zeros(c.features.size());
    FixedBatch silent = c.batch();
    silent.features = zeros;
    std::vector<Tensor> tensors(c.fixed.tensors());
    c.fixed.layout(tensors);
    Random noise(1, Purpose::user);
    std::uint64_t saturated = 0;
    auto x = c.x;
    (void)c.fixed.step(x, silent, FixedRate::from(0.1), noise, scratch, saturated);
    CHECK(std::equal(x.begin(), x.begin() + tensors[0].length, c.x.begin()));
    std::fill(x.begin(), x.end(), Weight{0});
    (void)c.fixed.step(x, c.batch(), FixedRate::from(0.1), noise, scratch, saturated);
    if (c.fixed.layers() == 1) continue;
    const auto last_bias = static_cast<std::ptrdiff_t>(tensors.back().length);
    CHECK(std::all_of(x.begin(), x.end() - last_bias, [](Weight w) { return w == 0; }));
  }
}

TEST_CASE("no weight learns from inputs of zero, nor through weights of zero") {
  check_silence<std::int16_t, std::int16_t>();
  check_silence<std::int8_t, std::int16_t>();
  check_silence<std::int8_t, std::int8_t>();
}

TEST_CASE("a loss beyond all bounds is the largest there is") {
  using Fixed = FixedNetwork<std::int16_t, std::int16_t>;
  const Widths widths{1, 17};
  const std::vector<LayerFormat> formats(1);
  const auto fixed = Fixed::make(widths, Loss::squared, formats).value();
  std::vector<std::int16_t> x(fixed.parameters(), 32767);  // outputs of 2^30, cut off at 2^15
  const std::vector<std::int16_t> features(Fixed::kMaxRows, 32767);
  const std::vector<std::int16_t> targets(Fixed::kMaxRows * 17);
  const FixedBatch batch{Fixed::kMaxRows, features, 0, {}, targets, 0};
  std::vector<std::int32_t> scratch(fixed.scratch_size(batch.rows));
  REQUIRE(fixed.check(x, batch, scratch) == Status::ok);
  const auto result = fixed.evaluate(x, batch, scratch);
  CHECK(result.loss == std::int64_t{1} << 62);
  CHECK(result.saturated == Fixed::kMaxRows * 17);
  Random noise(1, Purpose::user);
  std::uint64_t saturated = 0;
  CHECK(fixed.step(x, batch, FixedRate{}, noise, scratch, saturated) ==
        std::numeric_limits<std::int32_t>::max());
}

TEST_CASE("a rate far below a unit's worth does not disturb a model") {
  const auto cases = all_cases<std::int16_t, std::int16_t>();
  const auto& c = cases.back();
  auto scratch = c.scratch();
  Random noise(1, Purpose::user);
  std::uint64_t saturated = 0;
  auto x = c.x;
  for (const FixedRate tiny : {FixedRate{1, 127}, FixedRate{0xffff'ffffU, 90}, FixedRate{1, 60}}) {
    (void)c.fixed.step(x, c.batch(), tiny, noise, scratch, saturated);
    CHECK(x == c.x);
  }
}

template <typename Weight, typename Activation>
void check_memory() {
  constexpr std::int32_t kGuard = 12345;
  constexpr std::size_t kMargin = 64;
  for (const auto& c : all_cases<Weight, Activation>()) {
    CAPTURE(c.name());
    const std::size_t needed = c.fixed.scratch_size(c.rows);
    std::vector<std::int32_t> memory(needed + 2 * kMargin, kGuard);
    const auto inner = std::span(memory).subspan(kMargin, needed);
    Random noise(1, Purpose::user);
    std::uint64_t saturated = 0;
    auto x = c.x;
    (void)c.fixed.step(x, c.batch(), FixedRate::from(0.1), noise, inner, saturated);
    (void)c.fixed.evaluate(x, c.batch(), inner);
    CHECK(std::all_of(memory.begin(), memory.begin() + kMargin, [](std::int32_t v) { return v == kGuard; }));
    CHECK(std::all_of(memory.end() - kMargin, memory.end(), [](std::int32_t v) { return v == kGuard; }));
  }
}

TEST_CASE("scratch_size() words of scratch are enough, and nothing beside them is written") {
  check_memory<std::int16_t, std::int16_t>();
  check_memory<std::int8_t, std::int16_t>();
  check_memory<std::int8_t, std::int8_t>();
}

TEST_CASE("the fixed callback is the fixed network") {
  for (const auto& c : all_cases<std::int8_t, std::int8_t>()) {
    const auto gradient = c.fixed.gradient(c.rows);
    CHECK(gradient.parameters == c.fixed.parameters());
    CHECK(gradient.scratch == c.fixed.scratch_size(c.rows));
    auto scratch = c.scratch();
    auto by_callback = c.x;
    auto directly = c.x;
    Random noise(1, Purpose::user);
    Random same_noise = noise;
    std::uint64_t saturated = 0;
    const FixedRate rate = FixedRate::from(0.1);
    CHECK(gradient(by_callback, c.batch(), rate, noise, scratch, saturated) ==
          c.fixed.step(directly, c.batch(), rate, same_noise, scratch, saturated));
    CHECK(by_callback == directly);
    CHECK(noise.bits() == same_noise.bits());
  }
}

TEST_CASE("a fixed batch without rows leaves the model as it is, and its loss is the largest") {
  const std::vector<std::uint32_t> widths{3, 2};
  const std::vector<LayerFormat> formats{{.weights = 8, .biases = 8}};
  const auto network =
      FixedNetwork<std::int16_t, std::int16_t>::make(widths, Loss::cross_entropy, formats).value();
  std::vector<std::int16_t> x(network.parameters(), 7);
  std::vector<std::int32_t> scratch(network.scratch_size(1));
  Random noise(1, Purpose::rounding);
  std::uint64_t saturated = 0;
  const std::int32_t loss =
      network.gradient(1)(x, FixedBatch{}, FixedRate::from(0.1), noise, scratch, saturated);
  CHECK(loss == std::numeric_limits<std::int32_t>::max());
  CHECK(x == std::vector<std::int16_t>(network.parameters(), 7));
  CHECK(saturated == 0);
}

TEST_CASE("the layout is two tensors a layer, as long as the model") {
  const Widths widths{784, 64, 10};
  std::vector<LayerFormat> formats(2);
  using Small = FixedNetwork<std::int8_t, std::int16_t>;
  Small::choose_formats(widths, formats);
  const auto fixed = Small::make(widths, Loss::cross_entropy, formats).value();
  std::vector<Tensor> tensors(fixed.tensors());
  fixed.layout(tensors);
  const std::vector<Tensor> expected{{784 * 64, formats[0].weights},
                                     {64, formats[0].biases},
                                     {640, formats[1].weights},
                                     {10, formats[1].biases}};
  CHECK(tensors == expected);
}

TEST_CASE("chosen formats hold the initial model three times over, for any number of inputs") {
  for (std::uint32_t inputs = 1; inputs < 1'000'000; inputs = 2 * inputs + 1) {
    const Widths widths{inputs, 2, 1};
    std::vector<LayerFormat> formats(2);
    FixedNetwork<std::int8_t, std::int8_t>::choose_formats(widths, formats);
    const double bound = std::ldexp(3 * std::sqrt(6.0 / inputs), formats[0].weights);
    CHECK(bound < 128);
    CHECK(bound > 63);
  }
}

template <typename Weight, typename Activation>
void check_make() {
  using Fixed = FixedNetwork<Weight, Activation>;
  const Widths widths{3, 4, 2};
  const std::vector<LayerFormat> good(2);
  CHECK(Fixed::make(widths, Loss::squared, good).ok());
  CHECK(Fixed::make(widths, Loss::squared, std::span(good).first(1)).status() == Status::shape_mismatch);
  CHECK(Fixed::make(widths, Loss::logistic, good).status() == Status::invalid_size);
  for (const Widths& bad : {Widths{3, 0, 2}, Widths{3, 1U << 15, 2}, Widths{0x8000'0000U, 4, 2}}) {
    CHECK(Fixed::make(bad, Loss::squared, good).status() == Status::invalid_size);
  }
  for (const LayerFormat& bad : {LayerFormat{-1, 0, 0}, LayerFormat{0, 21, 0}, LayerFormat{0, 0, 21}}) {
    const std::vector<LayerFormat> formats{{}, bad};
    CHECK(Fixed::make(widths, Loss::squared, formats).status() == Status::unknown_format);
  }
}

TEST_CASE("make() refuses sizes and formats that make no fixed network") {
  check_make<std::int16_t, std::int16_t>();
  check_make<std::int8_t, std::int16_t>();
  check_make<std::int8_t, std::int8_t>();
}

template <typename Weight, typename Activation>
void check_check() {
  using Fixed = FixedNetwork<Weight, Activation>;
  const Widths widths{2, 4, 3};
  const std::vector<LayerFormat> formats(2);
  const auto network = Fixed::make(widths, Loss::cross_entropy, formats).value();
  const auto squared = Fixed::make(widths, Loss::squared, formats).value();
  const std::vector<Weight> x(network.parameters());
  const std::vector<std::int16_t> features(4);
  const std::vector<std::uint32_t> labels{0, 2};
  const std::vector<std::int16_t> targets(6);
  const std::vector<std::int32_t> scratch(network.scratch_size(2));
  const FixedBatch good{2, features, 8, labels, {}, 0};
  CHECK(network.check(x, good, scratch) == Status::ok);
  CHECK(squared.check(x, good, scratch) == Status::ok);
  CHECK(squared.check(x, {2, features, 8, {}, targets, 9}, scratch) == Status::ok);

  CHECK(network.check(std::span(x).first(x.size() - 1), good, scratch) == Status::shape_mismatch);
  CHECK(network.check(x, {}, scratch) == Status::shape_mismatch);
  CHECK(network.check(x, {1, features, 8, labels}, scratch) == Status::shape_mismatch);
  CHECK(network.check(x, {2, features, 8, {}}, scratch) == Status::shape_mismatch);
  CHECK(network.check(x, {2, features, 8, {}, targets}, scratch) == Status::shape_mismatch);
  CHECK(squared.check(x, {2, features, 8, {}, std::span(targets).first(5)}, scratch) ==
        Status::shape_mismatch);
  CHECK(network.check(x, {2, features, -1, labels}, scratch) == Status::unknown_format);
  CHECK(network.check(x, {2, features, 8, labels, {}, 21}, scratch) == Status::unknown_format);
  CHECK(network.check(x, good, std::span(scratch).first(scratch.size() - 1)) == Status::scratch_too_small);
  const std::vector<std::uint32_t> too_high{0, 3};
  CHECK(network.check(x, {2, features, 8, too_high}, scratch) == Status::label_out_of_range);
  const std::size_t many = Fixed::kMaxRows + 1;
  const std::vector<std::int16_t> many_features(2 * many);
  const std::vector<std::uint32_t> many_labels(many);
  CHECK(network.check(x, {many, many_features, 8, many_labels}, scratch) == Status::shape_mismatch);

  const Widths one{2, 1};
  const auto logistic = Fixed::make(one, Loss::logistic, std::span(formats).first(1)).value();
  const auto weights = std::span(x).first(logistic.parameters());
  const std::vector<std::uint32_t> both{0, 1};
  CHECK(logistic.check(weights, {2, features, 8, both}, scratch) == Status::ok);
  CHECK(logistic.check(weights, {2, features, 8, labels}, scratch) == Status::label_out_of_range);
}

TEST_CASE("check() names what is wrong with a fixed batch") {
  check_check<std::int16_t, std::int16_t>();
  check_check<std::int8_t, std::int16_t>();
  check_check<std::int8_t, std::int8_t>();
}

}  // namespace
