#include "fixed/kernels.h"
#include "fixed/narrow.h"
#include "statistics.h"

#include <popsgd/random.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace {

namespace fixed = popsgd::fixed;
using popsgd::Purpose;
using popsgd::Random;

// Uniform integers of T shifted right by `places`, with the extremes now and then.
template <typename T>
std::vector<T> integers(std::size_t count, Random& random, int places = 0, bool extremes = false) {
  std::vector<T> values(count);
  for (T& value : values) {
    value = static_cast<T>(static_cast<T>(random.bits()) >> places);
    if (extremes && random.below(4) == 0) value = std::numeric_limits<T>::min();
    if (extremes && random.below(4) == 0) value = std::numeric_limits<T>::max();
  }
  return values;
}

std::int64_t nearest(std::int64_t value, int shift) {
  return shift <= 0 ? value * (std::int64_t{1} << -shift)
                    : (value + (std::int64_t{1} << (shift - 1))) >> shift;
}

template <typename T>
std::int64_t clamp_to(std::int64_t value) {
  return std::clamp<std::int64_t>(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
}

// The sizes of a layer, around multiples of the vectors' and tiles' widths.
struct Sizes {
  std::size_t rows;
  std::size_t inputs;
  std::size_t outputs;
};
std::vector<Sizes> sizes() {
  return {{1, 1, 1},   {3, 7, 4},   {2, 64, 5},   {16, 100, 10},
          {9, 257, 3}, {5, 784, 8}, {17, 300, 2}, {1, 33, 31}};
}

template <typename Weight, typename Activation>
void check_affine(bool extremes) {
  Random random(1, Purpose::user);
  for (const Sizes& size : sizes()) {
    const auto w = integers<Weight>(size.inputs * size.outputs, random, 0, extremes);
    const auto b = integers<Weight>(size.outputs, random, 0, extremes);
    const auto a = integers<Activation>(size.rows * size.inputs, random, 0, extremes);
    for (const int shift : {-6, 0, 1, 13, 33}) {
      for (const int bias_shift : {-3, 0, 11}) {
        std::vector<std::int32_t> z(size.rows * size.outputs);
        std::uint64_t saturated = 0;
        fixed::affine<Weight>(size.rows, {size.inputs, size.outputs, w.data(), b.data()}, a.data(),
                              bias_shift, shift, z.data(), saturated);
        std::uint64_t expected_saturated = 0;
        for (std::size_t k = 0; k < z.size(); ++k) {
          const std::size_t row = k / size.outputs;
          const std::size_t j = k % size.outputs;
          std::int64_t sum = nearest(b[j], -bias_shift);
          for (std::size_t i = 0; i < size.inputs; ++i) {
            sum += std::int64_t{w[j * size.inputs + i]} * a[row * size.inputs + i];
          }
          const std::int64_t exact = nearest(sum, shift);
          REQUIRE(z[k] == clamp_to<std::int32_t>(exact));
          expected_saturated += exact != z[k] ? 1U : 0U;
        }
        REQUIRE(saturated == expected_saturated);
      }
    }
  }
}

TEST_CASE(
    "a layer's values are the exact sums in 64 bits, rounded to nearest; what does not fit is counted") {
  for (const bool extremes : {false, true}) {
    check_affine<std::int16_t, std::int16_t>(extremes);
    check_affine<std::int8_t, std::int16_t>(extremes);
    check_affine<std::int8_t, std::int8_t>(extremes);
  }
}

template <typename Weight>
void check_pass_back() {
  Random random(2, Purpose::user);
  for (const Sizes& size : sizes()) {
    const auto w = integers<Weight>(size.inputs * size.outputs, random);
    const auto errors =
        integers<std::int16_t>(size.rows * size.outputs, random, 5);  // up to 2^10, 31 outputs
    std::vector<std::int32_t> below(size.rows * size.inputs, -1);
    fixed::pass_back<Weight>(size.rows, {size.inputs, size.outputs, w.data(), w.data()}, errors.data(),
                             below.data());
    for (std::size_t k = 0; k < below.size(); ++k) {
      std::int64_t exact = 0;
      for (std::size_t j = 0; j < size.outputs; ++j) {
        exact +=
            std::int64_t{errors[k / size.inputs * size.outputs + j]} * w[j * size.inputs + k % size.inputs];
      }
      REQUIRE(below[k] == exact);
    }
  }
}

TEST_CASE("errors pass back as exact sums") {
  check_pass_back<std::int16_t>();
  check_pass_back<std::int8_t>();
}

template <typename Weight, typename Activation>
void check_update() {
  Random random(3, Purpose::user);
  for (const Sizes& size : sizes()) {
    const auto a = integers<Activation>(size.rows * size.inputs, random);
    const auto steps =
        integers<std::int16_t>(size.rows * size.outputs, random, 5);  // 17 rows of 2^10 by 2^15
    for (const int shift : {1, 14, 22, 30}) {
      const fixed::Dither dither{random.bits()};
      auto w = integers<Weight>(size.inputs * size.outputs, random);
      const auto before = w;
      std::uint64_t saturated = 0;
      fixed::update_weights(size.rows, size.inputs, size.outputs, steps.data(), a.data(), shift, dither,
                            w.data(), saturated);
      std::uint64_t expected_saturated = 0;
      for (std::size_t k = 0; k < w.size(); ++k) {
        std::int64_t sum = dither.at(k) >> (32 - shift);
        for (std::size_t row = 0; row < size.rows; ++row) {
          sum +=
              std::int64_t{steps[k / size.inputs * size.rows + row]} * a[row * size.inputs + k % size.inputs];
        }
        const std::int64_t exact = before[k] - (sum >> shift);
        REQUIRE(w[k] == clamp_to<Weight>(exact));
        expected_saturated += exact != w[k] ? 1U : 0U;
      }
      REQUIRE(saturated == expected_saturated);
    }
  }
}

TEST_CASE("an update of weights is the exact sum and its dither, saturating; what saturates is counted") {
  check_update<std::int16_t, std::int16_t>();
  check_update<std::int8_t, std::int16_t>();
  check_update<std::int8_t, std::int8_t>();
}

TEST_CASE("an update of biases is the exact sum and its dither, whichever way it is shifted") {
  Random random(4, Purpose::user);
  constexpr std::size_t kRows = 5;
  constexpr std::size_t kOutputs = 11;
  const auto steps = integers<std::int16_t>(kRows * kOutputs, random);
  for (const int shift : {-40, -3, 0, 1, 8, 32, 50, 62}) {
    CAPTURE(shift);
    const fixed::Dither dither{random.bits()};
    auto b = integers<std::int16_t>(kOutputs, random, 1);
    const auto before = b;
    std::uint64_t saturated = 0;
    fixed::update_biases(kRows, kOutputs, steps.data(), shift, dither, b.data(), saturated);
    for (std::size_t j = 0; j < kOutputs; ++j) {
      std::int64_t sum = 0;
      for (std::size_t row = 0; row < kRows; ++row) sum += steps[j * kRows + row];
      const auto exact = static_cast<double>(before[j]) - std::ldexp(static_cast<double>(sum), -shift);
      const double u = shift > 0 ? std::ldexp(static_cast<double>(dither.at(j)), -32) : 0;
      const auto rounded =
          static_cast<double>(before[j]) - std::floor(std::ldexp(static_cast<double>(sum), -shift) + u);
      REQUIRE(std::fabs(std::clamp(exact, -32768.0, 32767.0) - static_cast<double>(b[j])) < 1);
      if (shift <= 32) REQUIRE(static_cast<double>(b[j]) == std::clamp(rounded, -32768.0, 32767.0));
    }
    CHECK((saturated > 0) == (shift <= 1));
  }
}

// Many updates of parameters at 0 by a constant change: the mean of each, and of all.
TEST_CASE("rounding is unbiased, for every single parameter") {
  constexpr std::size_t kInputs = 40;
  constexpr int kDraws = 20000;
  Random random(5, Purpose::user);
  const auto a = integers<std::int16_t>(kInputs, random, 4);
  const std::int16_t step = 97;
  for (const int shift : {20, 25}) {
    std::vector<std::vector<double>> draws(kInputs);
    for (int draw = 0; draw < kDraws; ++draw) {
      std::vector<std::int16_t> w(kInputs);
      std::uint64_t saturated = 0;
      fixed::update_weights(1, kInputs, 1, &step, a.data(), shift, {random.bits()}, w.data(), saturated);
      for (std::size_t i = 0; i < kInputs; ++i) draws[i].push_back(w[i]);
    }
    for (std::size_t i = 0; i < kInputs; ++i) {
      const double exact = -std::ldexp(static_cast<double>(step) * a[i], -shift);
      const double part = exact - std::floor(exact);  // of the draws go up
      double mean = 0;
      for (const double w : draws[i]) mean += w / kDraws;
      CAPTURE(exact);
      REQUIRE(std::fabs(mean - exact) <= 5 * std::sqrt(part * (1 - part) / kDraws) + 1e-9);
    }
  }
}

TEST_CASE("a change far below a unit still arrives, on average") {
  constexpr int kDraws = 200000;
  Random random(6, Purpose::user);
  const std::int16_t step = 1;
  const std::int16_t a = 1 << 12;
  std::int16_t w = 0;
  std::uint64_t saturated = 0;
  for (int draw = 0; draw < kDraws; ++draw) {  // 2^-10 of a unit each
    fixed::update_weights(1, 1, 1, &step, &a, 22, {random.bits()}, &w, saturated);
  }
  const double expected = -kDraws * 0x1p-10;
  CHECK(std::fabs(w - expected) <= 5 * std::sqrt(-expected));
}

TEST_CASE("the dither of neighbours fills the unit evenly: a Weyl sequence") {
  const fixed::Dither dither{12345};
  std::vector<double> points;
  for (std::size_t k = 0; k < 1000; ++k) points.push_back(dither.at(k) * 0x1p-32);
  std::sort(points.begin(), points.end());
  for (std::size_t k = 0; k < points.size(); ++k) {
    REQUIRE(std::fabs(points[k] - static_cast<double>(k) / 1000) < 0.005);
  }
}

TEST_CASE("the largest magnitude, of the least number too") {
  CHECK(fixed::largest<std::int8_t>(0, nullptr) == 0);
  const std::vector<std::int8_t> small{3, -7, 5};
  CHECK(fixed::largest(small.size(), small.data()) == 7);
  const std::vector<std::int16_t> middle{0, std::numeric_limits<std::int16_t>::min(), 32767};
  CHECK(fixed::largest(middle.size(), middle.data()) == 32768);
  CHECK(fixed::largest(1, middle.data() + 2) == 32767);
}

TEST_CASE("narrowed errors are to nearest, use their bits and keep their sums within the bound") {
  Random random(7, Purpose::user);
  constexpr std::size_t kRows = 6;
  constexpr std::size_t kOutputs = 9;
  for (int k = 0; k < 300; ++k) {
    const auto errors = integers<std::int32_t>(kRows * kOutputs, random, static_cast<int>(random.below(32)));
    const std::uint32_t most = 65535U << random.below(10);
    std::vector<std::int16_t> narrow(errors.size());
    const int n = fixed::narrow_errors(kRows, kOutputs, errors.data(), most, narrow.data());
    std::uint32_t widest = 0;
    std::int64_t largest_sum = 0;
    for (std::size_t row = 0; row < kRows; ++row) {
      std::int64_t sum = 0;
      for (std::size_t j = 0; j < kOutputs; ++j) {
        const std::size_t place = row * kOutputs + j;
        REQUIRE(narrow[place] == nearest(errors[place], n));
        sum += std::abs(narrow[place]);
      }
      largest_sum = std::max(largest_sum, sum);
    }
    widest = fixed::largest(narrow.size(), narrow.data());
    REQUIRE(largest_sum <= most);
    if (n > 0)
      REQUIRE((widest >= 1U << 14 || 2 * largest_sum + 4 * static_cast<std::int64_t>(kOutputs) >= most));
  }
}

TEST_CASE("steps are errors times the rate, transposed, to nearest, within the bound") {
  Random random(8, Purpose::user);
  constexpr std::size_t kRows = 6;
  constexpr std::size_t kOutputs = 9;
  for (int k = 0; k < 300; ++k) {
    const auto errors = integers<std::int32_t>(kRows * kOutputs, random, static_cast<int>(random.below(32)));
    const std::uint32_t mantissa = (std::uint32_t{1} << 30) + random.below(1U << 30);
    const std::uint32_t most = 32768U << random.below(10);
    const int least = static_cast<int>(random.below(90)) - 10;
    std::vector<std::int16_t> steps(errors.size());
    const int n = fixed::narrow_steps(kRows, kOutputs, errors.data(), mantissa, least, most, steps.data());
    REQUIRE(n >= least);
    for (std::size_t j = 0; j < kOutputs; ++j) {
      std::int64_t sum = 0;
      for (std::size_t row = 0; row < kRows; ++row) {
        const std::int64_t exact = std::int64_t{errors[row * kOutputs + j]} * mantissa;
        REQUIRE(steps[j * kRows + row] == (n > 62 ? 0 : nearest(exact, n)));
        sum += std::abs(steps[j * kRows + row]);
      }
      REQUIRE(sum <= most);
    }
  }
}

}  // namespace
