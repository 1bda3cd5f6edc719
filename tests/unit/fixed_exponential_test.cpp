#include "fixed/arithmetic.h"
#include "fixed/exponential.h"
#include "fixed/loss.h"

#include <popsgd/random.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace {

namespace fixed = popsgd::fixed;
using popsgd::Loss;
using popsgd::Purpose;
using popsgd::Random;

TEST_CASE("e^-x by table is within 4e-6 of the value, and a unit") {
  double last = 2;
  for (std::uint32_t x = 0; x < 25U << 16; x += 7) {
    const double exact = std::exp(-static_cast<double>(x) * 0x1p-16);
    const double got = fixed::exponential_of_minus(x) * 0x1p-30;
    CAPTURE(x);
    REQUIRE(std::fabs(got - exact) <= 4e-6 * exact + 0x1p-29);
    REQUIRE(got <= last);
    last = got;
  }
  CHECK(fixed::exponential_of_minus(0) == fixed::kUnit);
  CHECK(fixed::exponential_of_minus(std::numeric_limits<std::uint32_t>::max()) == 0);
}

TEST_CASE("the logarithm is within a unit of 2^-16") {
  Random random(1, Purpose::user);
  for (int k = 0; k < 20000; ++k) {
    const std::uint64_t x = (random.bits64() >> random.below(63)) | 1U;
    const double exact = std::log(static_cast<double>(x) * 0x1p-30);
    REQUIRE(std::fabs(static_cast<double>(fixed::logarithm(x)) * 0x1p-16 - exact) <= 0x1p-16);
  }
  CHECK(fixed::logarithm(fixed::kUnit) == 0);
}

TEST_CASE("the square root is the whole part of the root") {
  Random random(2, Purpose::user);
  for (int k = 0; k < 20000; ++k) {
    const std::uint64_t x = random.bits64() >> random.below(64);
    const std::uint64_t root = fixed::square_root(x);
    REQUIRE(root * root <= x);
    REQUIRE((root == 0xffff'ffffU || (root + 1) * (root + 1) > x));
  }
}

TEST_CASE("rescaling rounds to nearest, and saturates instead of wrapping around") {
  std::uint64_t saturated = 0;
  CHECK(fixed::rescale<std::int32_t>(5, 1, saturated) == 3);
  CHECK(fixed::rescale<std::int32_t>(-5, 1, saturated) == -2);
  CHECK(fixed::rescale<std::int32_t>(-7, 2, saturated) == -2);
  CHECK(fixed::rescale<std::int32_t>(-3, -4, saturated) == -48);
  CHECK(fixed::rescale<std::int8_t>(127, 0, saturated) == 127);
  CHECK(saturated == 0);
  CHECK(fixed::rescale<std::int8_t>(128, 0, saturated) == 127);
  CHECK(fixed::rescale<std::int8_t>(-129, 0, saturated) == -128);
  CHECK(fixed::rescale<std::int16_t>(std::int64_t{1} << 61, 20, saturated) == 32767);
  CHECK(fixed::rescale<std::int32_t>(std::int64_t{1} << 61, -31, saturated) == 0x7fff'ffff);
  CHECK(fixed::rescale<std::int32_t>(-(std::int64_t{1} << 61), -1, saturated) == -0x7fff'ffff - 1);
  CHECK(saturated == 5);
}

// Random values of a last layer, some far apart, with labels or targets.
struct Values {
  std::size_t rows = 50;
  std::size_t width;
  std::vector<std::int32_t> z{};
  std::vector<std::uint32_t> labels{};
  std::vector<std::int16_t> targets{};

  Values(std::size_t outputs, std::uint32_t classes, std::uint64_t seed) : width(outputs) {
    Random random(seed, Purpose::user);
    for (std::size_t row = 0; row < rows; ++row) {
      const double spread = std::ldexp(1.0, 16 + static_cast<int>(random.below(5)));
      for (std::size_t k = 0; k < width; ++k) {
        z.push_back(static_cast<std::int32_t>(spread * static_cast<double>(random.normal())));
        targets.push_back(static_cast<std::int16_t>(random.bits() >> 16));
      }
      labels.push_back(random.below(classes));
    }
  }
  [[nodiscard]] double value(std::size_t row, std::size_t k) const { return z[row * width + k] * 0x1p-16; }
};

TEST_CASE("cross-entropy and its error are those of the softmax in double") {
  for (const std::size_t width : {1UL, 2UL, 10UL, 1000UL}) {
    const Values values(width, static_cast<std::uint32_t>(width), width);
    std::vector<std::int32_t> errors = values.z;
    const popsgd::FixedBatch batch{.rows = values.rows, .labels = values.labels};
    std::uint64_t saturated = 0;
    const auto [loss, fraction] =
        fixed::loss_and_error(Loss::cross_entropy, {batch, width, errors.data()}, saturated);
    double exact = 0;
    for (std::size_t row = 0; row < values.rows; ++row) {
      double total = 0;
      for (std::size_t k = 0; k < width; ++k) total += std::exp(values.value(row, k));
      exact += std::log(total) - values.value(row, values.labels[row]);
      for (std::size_t k = 0; k < width; ++k) {
        const double error = std::exp(values.value(row, k)) / total - (k == values.labels[row] ? 1 : 0);
        REQUIRE(std::fabs(std::ldexp(errors[row * width + k], -fraction) - error) <= 1e-5);
      }
    }
    CHECK(static_cast<double>(loss) * 0x1p-16 == doctest::Approx(exact).epsilon(1e-5));
    CHECK(saturated == 0);
  }
}

TEST_CASE("the logistic loss and its error are those in double") {
  const Values values(1, 2, 3);
  std::vector<std::int32_t> errors = values.z;
  const popsgd::FixedBatch batch{.rows = values.rows, .labels = values.labels};
  std::uint64_t saturated = 0;
  const auto [loss, fraction] = fixed::loss_and_error(Loss::logistic, {batch, 1, errors.data()}, saturated);
  double exact = 0;
  for (std::size_t row = 0; row < values.rows; ++row) {
    const double sign = values.labels[row] == 1 ? 1 : -1;
    const double margin = sign * values.value(row, 0);
    exact += margin > 0 ? std::log1p(std::exp(-margin)) : std::log1p(std::exp(margin)) - margin;
    REQUIRE(std::fabs(std::ldexp(errors[row], -fraction) + sign / (1 + std::exp(margin))) <= 1e-5);
  }
  CHECK(static_cast<double>(loss) * 0x1p-16 == doctest::Approx(exact).epsilon(1e-5));
  CHECK(saturated == 0);
}

TEST_CASE("the squared loss takes targets of any scale, or the unit vector of a label") {
  const Values values(3, 3, 4);
  for (const int scale : {0, 9, 16, 20}) {
    for (const bool by_label : {false, true}) {
      popsgd::FixedBatch batch{.rows = values.rows, .target_fraction = static_cast<std::int8_t>(scale)};
      if (by_label) {
        batch.labels = values.labels;
      } else {
        batch.targets = values.targets;
      }
      std::vector<std::int32_t> errors = values.z;
      std::uint64_t saturated = 0;
      const auto [loss, fraction] =
          fixed::loss_and_error(Loss::squared, {batch, 3, errors.data()}, saturated);
      double exact = 0;
      for (std::size_t k = 0; k < errors.size(); ++k) {
        const double target =
            by_label ? (values.labels[k / 3] == k % 3 ? 1.0 : 0.0) : std::ldexp(values.targets[k], -scale);
        const double error = values.z[k] * 0x1p-16 - target;
        REQUIRE(std::fabs(std::ldexp(errors[k], -fraction) - error) <= (scale > 16 ? 0x1p-17 : 0));
        exact += error * error / 2;
      }
      CHECK(static_cast<double>(loss) * 0x1p-16 == doctest::Approx(exact).epsilon(1e-4));
      CHECK(saturated == 0);
    }
  }
}

TEST_CASE("an error beyond 32 bits saturates, is counted, and its loss stays finite") {
  std::vector<std::int32_t> z{std::numeric_limits<std::int32_t>::max(),
                              std::numeric_limits<std::int32_t>::min()};
  const std::vector<std::int16_t> targets{-1, 1};
  const popsgd::FixedBatch batch{.rows = 2, .targets = targets};
  std::uint64_t saturated = 0;
  const auto [loss, fraction] = fixed::loss_and_error(Loss::squared, {batch, 1, z.data()}, saturated);
  CHECK(saturated == 2);
  CHECK(z[0] == std::numeric_limits<std::int32_t>::max());
  CHECK(z[1] == std::numeric_limits<std::int32_t>::min());
  CHECK(fraction == 16);
  CHECK(loss == (std::int64_t{0x7fff'ffff} * 0x7fff'ffff >> 17) + (std::int64_t{1} << 45));
}

}  // namespace
