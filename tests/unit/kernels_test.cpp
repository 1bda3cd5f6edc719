#include "numeric/kernels.h"

#include <popsgd/random.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace {

namespace numeric = popsgd::numeric;
using popsgd::Purpose;
using popsgd::Random;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Relative to the sum of the terms' magnitudes: float rounding of sums of up to some thousand terms.
constexpr double kTolerance = 2e-6;

std::vector<float> normals(std::size_t count, Random& random) {
  std::vector<float> values(count);
  for (float& value : values) value = random.normal();
  return values;
}

// Memory between guards, which tell whether anything outside of it has been written.
class Guarded {
 public:
  explicit Guarded(std::vector<float> inner) : size_(inner.size()), memory_(size_ + 2 * kMargin, kGuard) {
    std::copy(inner.begin(), inner.end(), data());
  }
  float* data() { return memory_.data() + kMargin; }
  float operator[](std::size_t k) const { return memory_[kMargin + k]; }
  [[nodiscard]] bool intact() const {
    for (std::size_t k = 0; k < kMargin; ++k) {
      if (memory_[k] != kGuard || memory_[kMargin + size_ + k] != kGuard) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kMargin = 128;
  static constexpr float kGuard = 12345;
  std::size_t size_;
  std::vector<float> memory_;
};

// 1 often, widths around multiples of the lanes often, anything up to `most` else.
std::size_t random_size(Random& random, std::uint32_t most) {
  switch (random.below(4)) {
    case 0:
      return 1;
    case 1:
      return 16 * (1 + random.below(std::max(1U, most / 16))) + random.below(3) - 1;
    default:
      return 1 + random.below(most);
  }
}

TEST_CASE("dot_rows() is a product of matrices, of any shape, and writes nothing else") {
  Random random(1, Purpose::user);
  for (int round = 0; round < 300; ++round) {
    const std::size_t rows_a = random_size(random, 12);
    const std::size_t rows_b = random_size(random, 20);
    const std::size_t depth = round % 10 == 0 ? 790 + random.below(900) : random_size(random, 100);
    const std::size_t lda = depth + random.below(3);
    const std::size_t ldb = depth + random.below(3);
    const std::size_t ldc = rows_b + random.below(3);
    const auto a = normals(rows_a * lda, random);
    const auto b = normals(rows_b * ldb, random);
    Guarded c(std::vector<float>(rows_a * ldc, kNan));
    numeric::dot_rows(rows_a, rows_b, depth, a.data(), lda, b.data(), ldb, c.data(), ldc);
    CAPTURE(rows_a);
    CAPTURE(rows_b);
    CAPTURE(depth);
    REQUIRE(c.intact());
    for (std::size_t i = 0; i < rows_a; ++i) {
      for (std::size_t j = 0; j < rows_b; ++j) {
        double sum = 0;
        double size = 0;
        for (std::size_t k = 0; k < depth; ++k) {
          const double term = static_cast<double>(a[i * lda + k]) * static_cast<double>(b[j * ldb + k]);
          sum += term;
          size += std::fabs(term);
        }
        REQUIRE(std::fabs(static_cast<double>(c[i * ldc + j]) - sum) <= kTolerance * size);
      }
      for (std::size_t j = rows_b; j < ldc; ++j) REQUIRE(std::isnan(c[i * ldc + j]));
    }
  }
}

TEST_CASE("dot_rows() over no terms is zero, and of no rows nothing") {
  const float one = 1;
  Guarded c({kNan, kNan});
  numeric::dot_rows(1, 2, 0, &one, 0, &one, 0, c.data(), 2);
  CHECK(c[0] == 0);
  CHECK(c[1] == 0);
  numeric::dot_rows(0, 2, 1, &one, 1, &one, 0, c.data(), 2);
  numeric::dot_rows(1, 0, 1, &one, 1, &one, 1, c.data(), 2);
  CHECK(c[0] == 0);
  CHECK(c.intact());
}

TEST_CASE("combine_rows() adds linear combinations of rows, of any shape, and writes nothing else") {
  Random random(2, Purpose::user);
  for (int round = 0; round < 400; ++round) {
    const std::size_t rows = random_size(random, 12);
    const std::size_t terms = random.below(8) == 0 ? 0 : random_size(random, 40);
    const std::size_t columns = random_size(random, 250);
    const std::size_t ldin = columns + random.below(3);
    const std::size_t ldout = columns + random.below(3);
    const bool transposed = random.below(2) == 0;
    const auto in = normals(terms * ldin, random);
    const auto table = normals(rows * terms, random);
    const numeric::Coefficients coefficients{table.data(), transposed ? 1 : terms, transposed ? rows : 1};
    const float keep = round % 3 == 0 ? 0 : random.normal();
    const float scale = random.normal();
    const auto before = keep == 0 ? std::vector<float>(rows * ldout, kNan) : normals(rows * ldout, random);
    Guarded out(before);
    numeric::combine_rows(rows, terms, columns, coefficients, in.data(), ldin, keep, scale, out.data(),
                          ldout);
    CAPTURE(rows);
    CAPTURE(terms);
    CAPTURE(columns);
    CAPTURE(keep);
    REQUIRE(out.intact());
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t k = 0; k < columns; ++k) {
        const std::size_t place = r * ldout + k;
        double sum = keep == 0 ? 0 : static_cast<double>(keep) * static_cast<double>(before[place]);
        double size = std::fabs(sum);
        for (std::size_t s = 0; s < terms; ++s) {
          const float c = table[transposed ? s * rows + r : r * terms + s];
          const double term =
              static_cast<double>(scale) * static_cast<double>(c) * static_cast<double>(in[s * ldin + k]);
          sum += term;
          size += std::fabs(term);
        }
        REQUIRE(std::fabs(static_cast<double>(out[place]) - sum) <= kTolerance * size);
      }
      for (std::size_t k = columns; k < ldout; ++k) {
        const std::size_t place = r * ldout + k;
        REQUIRE(std::bit_cast<std::uint32_t>(out[place]) == std::bit_cast<std::uint32_t>(before[place]));
      }
    }
  }
}

TEST_CASE("combine_rows() with equal coefficients sums a column, whatever their strides") {
  const std::vector<float> in{1, 2, 10, 20, 100, 200};
  const float one = 1;
  Guarded out({5, 7});
  numeric::combine_rows(1, 3, 2, {&one, 0, 0}, in.data(), 2, 1, 2, out.data(), 2);
  CHECK(out[0] == 5 + 2 * 111);
  CHECK(out[1] == 7 + 2 * 222);
  CHECK(out.intact());
}

TEST_CASE("the kernels on vectors match their formulas at every length and write nothing else") {
  Random random(3, Purpose::user);
  for (std::size_t count = 0; count < 100; ++count) {
    CAPTURE(count);
    const auto a = normals(count, random);
    const auto b = normals(count, random);
    const auto x = normals(count, random);
    const float weight = random.normal();
    const float keep = random.normal();
    Guarded scaled(b);
    numeric::scale_add(count, keep, weight, a.data(), scaled.data());
    Guarded replaced(std::vector<float>(count, kNan));
    numeric::scale_add(count, 0, weight, a.data(), replaced.data());
    Guarded self(a);
    numeric::scale_add(count, keep, weight, self.data(), self.data());
    Guarded mean_a(a);
    Guarded mean_b(b);
    numeric::average(count, mean_a.data(), mean_b.data());
    Guarded moved(x);
    numeric::add_difference(count, weight, a.data(), b.data(), moved.data());
    REQUIRE((scaled.intact() && replaced.intact() && self.intact() && mean_a.intact() && mean_b.intact() &&
             moved.intact()));
    double distance = 0;
    for (std::size_t k = 0; k < count; ++k) {
      const auto ak = static_cast<double>(a[k]);
      const auto bk = static_cast<double>(b[k]);
      const auto w = static_cast<double>(weight);
      const auto near = [](float value, double exact) {
        return std::fabs(static_cast<double>(value) - exact) <= kTolerance * (1 + std::fabs(exact));
      };
      REQUIRE(near(scaled[k], static_cast<double>(keep) * bk + w * ak));
      REQUIRE(near(replaced[k], w * ak));
      REQUIRE(near(self[k], (static_cast<double>(keep) + w) * ak));
      REQUIRE(near(mean_a[k], (ak + bk) / 2));
      REQUIRE(mean_a[k] == mean_b[k]);
      REQUIRE(near(moved[k], static_cast<double>(x[k]) + w * (bk - ak)));
      distance += (ak - bk) * (ak - bk);
    }
    REQUIRE(numeric::squared_distance(count, a.data(), b.data()) ==
            doctest::Approx(distance).epsilon(kTolerance));
  }
}

TEST_CASE("squared_distance() of long vectors loses nothing to float sums") {
  constexpr std::size_t kCount = 1'000'003;
  const std::vector<float> a(kCount, 1.0F);
  const std::vector<float> b(kCount, 0.9F);
  const double gap = static_cast<double>(1.0F - 0.9F);
  const double exact = static_cast<double>(kCount) * gap * gap;
  CHECK(numeric::squared_distance(kCount, a.data(), b.data()) == doctest::Approx(exact).epsilon(1e-6));
}

// Units in the last place between two finite floats.
std::int64_t ulps(float a, float b) {
  const auto ordered = [](float x) {
    const auto bits = std::bit_cast<std::int32_t>(x);
    return std::int64_t{bits < 0 ? std::numeric_limits<std::int32_t>::min() - bits : bits};
  };
  return std::abs(ordered(a) - ordered(b));
}

TEST_CASE("exponential() is within 2 units in the last place over its whole range") {
  std::vector<float> x;
  for (int k = -870'000; k <= 880'000; k += 7) x.push_back(static_cast<float>(k) * 1e-4F);
  for (int k = -149; k < 7; ++k) {  // every magnitude down to the smallest
    x.push_back(std::ldexp(1.0F, k));
    if (k < 6) x.push_back(-std::ldexp(1.3F, k));
  }
  x.insert(x.end(), {0.0F, -0.0F, 88.0F, -87.0F});
  std::vector<float> y = x;
  numeric::exponential(y.size(), y.data());
  std::int64_t worst = 0;
  float where = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const std::int64_t gap = ulps(y[k], static_cast<float>(std::exp(static_cast<double>(x[k]))));
    if (gap > worst) where = x[k];
    worst = std::max(worst, gap);
  }
  CAPTURE(where);
  CHECK(worst <= 2);
}

TEST_CASE("exponential() keeps NaN, underflows to 0, and gives 1 at 0") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> x{kNan, -kInfinity, -1000, -87.5F, 0, -kNan};
  numeric::exponential(x.size(), x.data());
  CHECK(std::isnan(x[0]));
  CHECK(x[1] == 0);
  CHECK(x[2] == 0);
  CHECK(x[3] == 0);
  CHECK(x[4] == 1);
  CHECK(std::isnan(x[5]));
}

TEST_CASE("exponential() treats every element alike, wherever it lies") {
  for (std::size_t count = 0; count < 70; ++count) {
    std::vector<float> x(count);
    for (std::size_t k = 0; k < count; ++k) x[k] = static_cast<float>(k) - 30.25F;
    Guarded y(x);
    numeric::exponential(count, y.data());
    REQUIRE(y.intact());
    for (std::size_t k = 0; k < count; ++k) {
      REQUIRE(y[k] == doctest::Approx(std::exp(static_cast<double>(x[k]))).epsilon(1e-6));
    }
  }
}

}  // namespace
