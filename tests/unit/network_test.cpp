#include <popsgd/network.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Batch;
using popsgd::Loss;
using popsgd::Network;
using popsgd::Purpose;
using popsgd::Random;
using popsgd::Status;
using Widths = std::vector<std::uint32_t>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// A network with a random model and a random batch for it.
struct Case {
  Widths widths;
  Loss loss;
  bool by_target = false;
  std::size_t rows = 1;
  Network network{};
  std::vector<float> x{};
  std::vector<float> features{};
  std::vector<std::uint32_t> labels{};
  std::vector<float> targets{};

  void fill(std::uint64_t seed) {
    network = Network::make(widths, loss).value();
    Random random(seed, Purpose::user);
    const auto normals = [&](std::size_t count, float scale) {
      std::vector<float> values(count);
      for (float& value : values) value = scale * random.normal();
      return values;
    };
    x = normals(network.parameters(), 0.5F);
    features = normals(rows * network.inputs(), 1);
    if (by_target) {
      targets = normals(rows * network.outputs(), 1);
    } else {
      const std::uint32_t classes = loss == Loss::logistic ? 2 : widths.back();
      for (std::size_t row = 0; row < rows; ++row) labels.push_back(random.below(classes));
    }
  }

  [[nodiscard]] Batch batch() const { return {rows, features, labels, targets}; }

  [[nodiscard]] std::string name() const {
    std::string text = "loss " + std::to_string(static_cast<int>(loss)) +
                       (by_target ? " targets" : " labels") + ", rows " + std::to_string(rows) + ", widths";
    for (const std::uint32_t width : widths) text += " " + std::to_string(width);
    return text;
  }
};

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  const auto add = [&](Widths widths, Loss loss, bool by_target = false) {
    for (const std::size_t rows : {1UL, 5UL, 8UL}) {
      cases.push_back({.widths = widths, .loss = loss, .by_target = by_target, .rows = rows});
      cases.back().fill(cases.size());
    }
  };
  add({7, 1}, Loss::squared, true);
  add({5, 3}, Loss::squared, true);
  add({5, 3}, Loss::squared);
  add({17, 1}, Loss::logistic);
  add({6, 2}, Loss::cross_entropy);
  add({19, 5}, Loss::cross_entropy);
  add({1, 1, 1}, Loss::squared, true);
  add({7, 5, 3}, Loss::cross_entropy);
  add({9, 17, 1}, Loss::logistic);
  add({5, 11, 3}, Loss::squared);
  add({6, 9, 7, 3}, Loss::cross_entropy);
  add({3, 5, 33, 2}, Loss::squared, true);
  add({5, 9, 13, 7, 4}, Loss::cross_entropy);
  add({4, 3, 2, 5, 1}, Loss::logistic);
  return cases;
}

// The mean loss by the formulas in network.h, in double.
double reference_loss(const Case& c, const std::vector<double>& x) {
  double total = 0;
  for (std::size_t row = 0; row < c.rows; ++row) {
    std::vector<double> a(c.widths[0]);
    for (std::size_t k = 0; k < a.size(); ++k) a[k] = static_cast<double>(c.features[row * a.size() + k]);
    std::size_t offset = 0;
    for (std::size_t l = 0; l + 1 < c.widths.size(); ++l) {
      std::vector<double> z(c.widths[l + 1]);
      const std::size_t biases = offset + z.size() * a.size();
      for (std::size_t j = 0; j < z.size(); ++j) {
        z[j] = x[biases + j];
        for (std::size_t k = 0; k < a.size(); ++k) z[j] += x[offset + j * a.size() + k] * a[k];
        if (l + 2 < c.widths.size()) z[j] = std::max(z[j], 0.0);
      }
      offset = biases + z.size();
      a = z;
    }
    if (c.loss == Loss::logistic) {
      total += std::log1p(std::exp(c.labels[row] == 1 ? -a[0] : a[0]));
    } else if (c.loss == Loss::cross_entropy) {
      double sum = 0;
      for (const double z : a) sum += std::exp(z);
      total += std::log(sum) - a[c.labels[row]];
    } else {
      for (std::size_t k = 0; k < a.size(); ++k) {
        const double target = c.by_target ? static_cast<double>(c.targets[row * a.size() + k])
                                          : (c.labels[row] == k ? 1.0 : 0.0);
        total += 0.5 * (a[k] - target) * (a[k] - target);
      }
    }
  }
  return total / static_cast<double>(c.rows);
}

std::vector<float> scratch_for(const Case& c) {
  return std::vector<float>(c.network.scratch_size(c.rows), kNan);
}

TEST_CASE("losses and gradients match central differences of the formulas in double") {
  for (const Case& c : all_cases()) {
    CAPTURE(c.name());
    auto scratch = scratch_for(c);
    std::vector<float> gradient(c.x.size(), kNan);
    REQUIRE(c.network.check(c.x, c.batch(), scratch) == Status::ok);
    const float loss = c.network.add_gradient(c.x, c.batch(), 0, 1, gradient, scratch);
    std::vector<double> x(c.x.begin(), c.x.end());
    CHECK(static_cast<double>(loss) == doctest::Approx(reference_loss(c, x)).epsilon(2e-6));
    for (std::size_t k = 0; k < x.size(); ++k) {
      constexpr double kStep = 1e-6;
      const double here = x[k];
      x[k] = here + kStep;
      const double above = reference_loss(c, x);
      x[k] = here - kStep;
      const double below = reference_loss(c, x);
      x[k] = here;
      CAPTURE(k);
      REQUIRE(std::fabs(static_cast<double>(gradient[k]) - (above - below) / (2 * kStep)) < 2e-5);
    }
  }
}

TEST_CASE("softmax at zero weights: the loss is log(classes), the gradient (p - y) x") {
  const Widths widths{2, 3};
  const Network network = Network::make(widths, Loss::cross_entropy).value();
  const std::vector<float> x(network.parameters());
  const std::vector<float> features{1, 2};
  const std::vector<std::uint32_t> labels{1};
  std::vector<float> gradient(x.size());
  std::vector<float> scratch(network.scratch_size(1));
  const float loss = network.add_gradient(x, {1, features, labels, {}}, 0, 1, gradient, scratch);
  CHECK(loss == doctest::Approx(std::log(3.0)));
  const std::vector<double> expected{1 / 3., 2 / 3., -2 / 3., -4 / 3., 1 / 3.,
                                     2 / 3., 1 / 3., -2 / 3., 1 / 3.};
  for (std::size_t k = 0; k < expected.size(); ++k) CHECK(gradient[k] == doctest::Approx(expected[k]));
}

TEST_CASE("logistic regression at zero weights: the loss is log 2, the gradient -+ x / 2") {
  const Widths widths{2, 1};
  const Network network = Network::make(widths, Loss::logistic).value();
  const std::vector<float> x(3);
  const std::vector<float> features{3, -4};
  std::vector<float> gradient(3);
  std::vector<float> scratch(network.scratch_size(1));
  for (const std::uint32_t label : {0U, 1U}) {
    const std::vector<std::uint32_t> labels{label};
    const float half = label == 1 ? -0.5F : 0.5F;
    CHECK(network.add_gradient(x, {1, features, labels, {}}, 0, 1, gradient, scratch) ==
          doctest::Approx(std::log(2.0)));
    CHECK(gradient == std::vector<float>{3 * half, -4 * half, half});
  }
}

TEST_CASE("logistic loss stays exact for margins of any size") {
  const Widths widths{1, 1};
  const Network network = Network::make(widths, Loss::logistic).value();
  const std::vector<float> one{1};
  std::vector<float> gradient(2);
  std::vector<float> scratch(network.scratch_size(1));
  const std::vector<std::uint32_t> label{1};
  for (const float z : {-1e30F, -200.0F, -5.0F, 5.0F, 20.0F, 200.0F, 1e30F}) {
    const std::vector<float> x{z, 0};
    const float loss = network.add_gradient(x, {1, one, label, {}}, 0, 1, gradient, scratch);
    const double margin = static_cast<double>(z);
    const double exact = margin < 0 ? -margin + std::log1p(std::exp(margin)) : std::log1p(std::exp(-margin));
    CAPTURE(z);
    CHECK(static_cast<double>(loss) == doctest::Approx(exact).epsilon(1e-6));
    CHECK(static_cast<double>(gradient[0]) == doctest::Approx(-1 / (1 + std::exp(margin))).epsilon(1e-6));
  }
}

TEST_CASE("linear regression by hand") {
  const Widths widths{2, 1};
  const Network network = Network::make(widths, Loss::squared).value();
  const std::vector<float> x{1, -1, 0.5F};
  const std::vector<float> features{2, 1, 0, 1};
  const std::vector<float> targets{0, 0.5F};  // z = 1.5, -0.5
  std::vector<float> gradient(3);
  std::vector<float> scratch(network.scratch_size(2));
  const float loss = network.add_gradient(x, {2, features, {}, targets}, 0, 1, gradient, scratch);
  CHECK(loss == (1.125F + 0.5F) / 2);
  CHECK(gradient == std::vector<float>{1.5F, 0.25F, 0.25F});
}

TEST_CASE("cross entropy of large values neither overflows nor loses the gradient") {
  const Widths widths{1, 2};
  const Network network = Network::make(widths, Loss::cross_entropy).value();
  const std::vector<float> x{1e30F, -1e30F, 0, 0};
  const std::vector<float> one{1};
  const std::vector<std::uint32_t> label{1};
  std::vector<float> gradient(4);
  std::vector<float> scratch(network.scratch_size(1));
  CHECK(network.add_gradient(x, {1, one, label, {}}, 0, 1, gradient, scratch) == doctest::Approx(2e30));
  CHECK(gradient == std::vector<float>{1, -1, 1, -1});
}

TEST_CASE("an update in place is the update out of place, to the bit") {
  for (const Case& c : all_cases()) {
    CAPTURE(c.name());
    auto scratch = scratch_for(c);
    std::vector<float> apart = c.x;
    const float loss = c.network.add_gradient(c.x, c.batch(), 0.9F, -0.1F, apart, scratch);
    std::vector<float> in_place = c.x;
    CHECK(c.network.add_gradient(in_place, c.batch(), 0.9F, -0.1F, in_place, scratch) == loss);
    CHECK(in_place == apart);
  }
}

TEST_CASE("into <- keep * into + scale * gradient") {
  for (const Case& c : all_cases()) {
    CAPTURE(c.name());
    auto scratch = scratch_for(c);
    std::vector<float> gradient(c.x.size(), kNan);
    (void)c.network.add_gradient(c.x, c.batch(), 0, 1, gradient, scratch);
    std::vector<float> into(c.x.rbegin(), c.x.rend());
    const std::vector<float> before = into;
    (void)c.network.add_gradient(c.x, c.batch(), 0.5F, -2, into, scratch);
    for (std::size_t k = 0; k < into.size(); ++k) {
      const double exact = 0.5 * static_cast<double>(before[k]) - 2 * static_cast<double>(gradient[k]);
      REQUIRE(std::fabs(static_cast<double>(into[k]) - exact) < 1e-5);
    }
  }
}

TEST_CASE("scratch_size() floats of scratch are enough, and nothing beside them is written") {
  constexpr float kGuard = 12345;
  constexpr std::size_t kMargin = 64;
  const auto intact = [](const std::vector<float>& memory) {
    return std::all_of(memory.end() - kMargin, memory.end(), [](float value) { return value == kGuard; }) &&
           std::all_of(memory.begin(), memory.begin() + kMargin, [](float value) { return value == kGuard; });
  };
  for (const Case& c : all_cases()) {
    CAPTURE(c.name());
    const std::size_t needed = c.network.scratch_size(c.rows);
    std::vector<float> scratch(needed + 2 * kMargin, kGuard);
    std::vector<float> into(c.x.size() + 2 * kMargin, kGuard);
    const auto inner = std::span(scratch).subspan(kMargin, needed);
    (void)c.network.add_gradient(c.x, c.batch(), 0, 1, std::span(into).subspan(kMargin, c.x.size()), inner);
    (void)c.network.evaluate(c.x, c.batch(), inner);
    CHECK(c.network.forward(c.x, c.batch(), inner).size() == c.rows * c.network.outputs());
    CHECK(intact(scratch));
    CHECK(intact(into));
  }
}

TEST_CASE("the callback is the network") {
  for (const Case& c : all_cases()) {
    const auto gradient = c.network.gradient(c.rows);
    CHECK(gradient.parameters == c.network.parameters());
    CHECK(gradient.scratch == c.network.scratch_size(c.rows));
    CHECK(gradient.in_place);
    auto scratch = scratch_for(c);
    std::vector<float> by_callback = c.x;
    std::vector<float> directly = c.x;
    CHECK(gradient(c.x, c.batch(), 1, -1, by_callback, scratch) ==
          c.network.add_gradient(c.x, c.batch(), 1, -1, directly, scratch));
    CHECK(by_callback == directly);
  }
}

TEST_CASE("a batch without rows has a gradient of zero, and a loss that is not a number") {
  const Widths widths{3, 2};
  const Network network = Network::make(widths, Loss::cross_entropy).value();
  const std::vector<float> x(network.parameters(), 1.0F);
  std::vector<float> into(network.parameters(), 2.0F);
  std::vector<float> scratch(network.scratch_size(1));
  CHECK(std::isnan(network.gradient(1)(x, Batch{}, 0.5F, -1, into, scratch)));
  CHECK(into == std::vector<float>(network.parameters(), 1.0F));
  std::fill(into.begin(), into.end(), kNan);  // which keep = 0 does not read
  CHECK(std::isnan(network.gradient(1)(x, Batch{}, 0, -1, into, scratch)));
  CHECK(into == std::vector<float>(network.parameters(), 0.0F));
}

TEST_CASE("make() counts parameters and refuses sizes that make no network") {
  const Widths mlp{784, 64, 10};
  const auto made = Network::make(mlp, Loss::cross_entropy);
  REQUIRE(made.ok());
  CHECK(made->parameters() == 784 * 64 + 64 + 64 * 10 + 10);
  CHECK(made->layers() == 2);
  CHECK(made->inputs() == 784);
  CHECK(made->outputs() == 10);
  CHECK(made->loss() == Loss::cross_entropy);
  for (const Widths& bad : {Widths{}, Widths{3}, Widths{0, 2}, Widths{3, 0}, Widths{3, 0, 2},
                            Widths{0xffffffff, 0xffffffff}, Widths{1, 0x7fffffff, 0x7fffffff, 1}}) {
    CAPTURE(bad.size());
    CHECK(Network::make(bad, Loss::squared).status() == Status::invalid_size);
  }
  const Widths two_outputs{3, 2};
  CHECK(Network::make(two_outputs, Loss::logistic).status() == Status::invalid_size);
}

TEST_CASE("check() names what is wrong with a batch") {
  const Widths widths{2, 4, 3};
  const Network network = Network::make(widths, Loss::cross_entropy).value();
  const Network squared = Network::make(widths, Loss::squared).value();
  const std::vector<float> x(network.parameters());
  const std::vector<float> features(4);
  const std::vector<std::uint32_t> labels{0, 2};
  const std::vector<float> targets(6);
  const std::vector<float> scratch(network.scratch_size(2));
  const Batch good{2, features, labels, {}};
  CHECK(network.check(x, good, scratch) == Status::ok);
  CHECK(squared.check(x, good, scratch) == Status::ok);
  CHECK(squared.check(x, {2, features, {}, targets}, scratch) == Status::ok);

  CHECK(network.check(std::span(x).first(x.size() - 1), good, scratch) == Status::shape_mismatch);
  CHECK(network.check(x, {0, {}, {}, {}}, scratch) == Status::shape_mismatch);
  CHECK(network.check(x, {1, features, labels, {}}, scratch) == Status::shape_mismatch);
  CHECK(network.check(x, {2, features, {}, {}}, scratch) == Status::shape_mismatch);
  CHECK(network.check(x, {2, features, {}, targets}, scratch) == Status::shape_mismatch);
  CHECK(network.check(x, {2, features, std::span(labels).first(1), {}}, scratch) == Status::shape_mismatch);
  CHECK(squared.check(x, {2, features, {}, std::span(targets).first(5)}, scratch) == Status::shape_mismatch);
  CHECK(network.check(x, good, std::span(scratch).first(scratch.size() - 1)) == Status::scratch_too_small);
  const std::vector<std::uint32_t> too_high{0, 3};
  CHECK(network.check(x, {2, features, too_high, {}}, scratch) == Status::label_out_of_range);

  const Widths one{2, 1};
  const Network logistic = Network::make(one, Loss::logistic).value();
  const std::vector<std::uint32_t> binary{0, 1};
  CHECK(logistic.check(std::span(x).first(3), {2, features, binary, {}}, scratch) == Status::ok);
  CHECK(logistic.check(std::span(x).first(3), {2, features, labels, {}}, scratch) ==
        Status::label_out_of_range);
}

TEST_CASE("check() finds a label out of range wherever it is, among any number of labels") {
  const Widths widths{1, 3};
  const Network network = Network::make(widths, Loss::cross_entropy).value();
  const std::vector<float> x(network.parameters());
  for (std::size_t rows = 1; rows < 10; ++rows) {
    const std::vector<float> features(rows);
    const std::vector<float> scratch(network.scratch_size(rows));
    for (std::size_t bad = 0; bad <= rows; ++bad) {
      CAPTURE(rows);
      CAPTURE(bad);
      std::vector<std::uint32_t> labels(rows, 2);
      if (bad < rows) labels[bad] = 3;
      CHECK(network.check(x, {rows, features, labels, {}}, scratch) ==
            (bad < rows ? Status::label_out_of_range : Status::ok));
    }
  }
}

TEST_CASE("check() does not let good targets hide labels that are too few") {
  const Widths widths{2, 3};
  const Network network = Network::make(widths, Loss::squared).value();
  const std::vector<float> x(network.parameters());
  const std::vector<float> features(4);
  const std::vector<std::uint32_t> labels{0};
  const std::vector<float> targets(6);
  const std::vector<float> scratch(network.scratch_size(2));
  CHECK(network.check(x, {2, features, labels, targets}, scratch) == Status::shape_mismatch);
}

TEST_CASE("initial weights are uniform within the bound of He et al., the last layer and all biases zero") {
  const Widths widths{100, 300, 50, 10};
  const Network network = Network::make(widths, Loss::cross_entropy).value();
  std::vector<float> x(network.parameters(), kNan);
  network.initialise(x, Random(1, Purpose::initial_model));
  std::size_t offset = 0;
  for (std::size_t l = 0; l < 3; ++l) {
    const std::size_t weights = std::size_t{widths[l]} * widths[l + 1];
    const double bound = l == 2 ? 0 : std::sqrt(6.0 / widths[l]);
    double sum = 0;
    double squares = 0;
    double largest = 0;
    for (std::size_t k = offset; k < offset + weights; ++k) {
      const auto value = static_cast<double>(x[k]);
      sum += value;
      squares += value * value;
      largest = std::max(largest, std::fabs(value));
    }
    const auto count = static_cast<double>(weights);
    CAPTURE(l);
    CHECK(largest <= bound * (1 + 1e-6));
    CHECK(largest >= bound * 0.99);
    // Means within 5 standard errors (false alarms: 6e-7 each): sd bound / sqrt 3 and of squares bound^2
    // sqrt(4/45).
    CHECK(std::fabs(sum / count) <= 5 * bound / std::sqrt(3 * count));
    CHECK(std::fabs(squares / count - bound * bound / 3) <= 5 * bound * bound * std::sqrt(4 / (45 * count)));
    offset += weights;
    for (std::size_t k = 0; k < widths[l + 1]; ++k) CHECK(x[offset + k] == 0);
    offset += widths[l + 1];
  }
  std::vector<float> again(x.size());
  network.initialise(again, Random(1, Purpose::initial_model));
  CHECK(again == x);
  network.initialise(again, Random(2, Purpose::initial_model));
  CHECK(again != x);
}

TEST_CASE("a NaN anywhere in the parameters makes the loss NaN") {
  for (Case& c : all_cases()) {
    auto scratch = scratch_for(c);
    std::vector<float> gradient(c.x.size());
    for (std::size_t k = 0; k < c.x.size(); ++k) {
      const float kept = c.x[k];
      c.x[k] = kNan;
      CAPTURE(c.name());
      CAPTURE(k);
      REQUIRE(std::isnan(c.network.add_gradient(c.x, c.batch(), 0, 1, gradient, scratch)));
      REQUIRE(std::isnan(c.network.evaluate(c.x, c.batch(), scratch).loss));
      c.x[k] = kept;
    }
  }
}

TEST_CASE("evaluate() sums the loss and counts the rows classified rightly") {
  for (const Case& c : all_cases()) {
    CAPTURE(c.name());
    auto scratch = scratch_for(c);
    const auto result = c.network.evaluate(c.x, c.batch(), scratch);
    const double mean = reference_loss(c, {c.x.begin(), c.x.end()});
    CHECK(result.loss == doctest::Approx(mean * static_cast<double>(c.rows)).epsilon(2e-6));
    if (c.by_target) CHECK(result.correct == 0);
  }
  const Widths widths{2, 2};
  const Network network = Network::make(widths, Loss::cross_entropy).value();
  const std::vector<float> identity{1, 0, 0, 1, 0, 0};
  const std::vector<float> features{1, 0, 0, 1, 2, 1, 1, 2};  // classes 0, 1, 0, 1
  const std::vector<std::uint32_t> labels{0, 1, 1, 1};
  std::vector<float> scratch(network.scratch_size(4));
  CHECK(network.evaluate(identity, {4, features, labels, {}}, scratch).correct == 3);

  const Widths one{2, 1};
  const Network logistic = Network::make(one, Loss::logistic).value();
  const std::vector<float> difference{-1, 1, 0};  // z = -1, 1, -1, 1
  CHECK(logistic.evaluate(difference, {4, features, labels, {}}, scratch).correct == 3);
}

}  // namespace
