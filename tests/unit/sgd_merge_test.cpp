#include <popsgd/merge.h>
#include <popsgd/quadratic.h>
#include <popsgd/random.h>
#include <popsgd/sgd.h>

#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Batch;
using popsgd::ConstParams;
using popsgd::Gradient;
using popsgd::Params;
using popsgd::Purpose;
using popsgd::Quadratic;
using popsgd::Random;
using popsgd::Scratch;
using popsgd::Sgd;
using popsgd::Status;

std::vector<float> normals(std::size_t count, std::uint32_t stream) {
  Random random(1, Purpose::user, stream);
  std::vector<float> values(count);
  for (float& value : values) value = random.normal();
  return values;
}

TEST_CASE("the gradient of a Quadratic is a x - c, its loss a x^2 / 2 - c x, meaned over the batch") {
  const std::vector<float> a{2, 0.5F};
  const Quadratic quadratic(a);
  const std::vector<float> samples{1, 2, 3, -2};  // mean (2, 0)
  const std::vector<float> x{3, 4};
  std::vector<float> into(2, std::numeric_limits<float>::quiet_NaN());
  CHECK(quadratic.add_gradient(x, {2, samples, {}, {}}, 0, 1, into) == 9 - 6 + 4);
  CHECK(into == std::vector<float>{4, 2});
  CHECK(quadratic.add_gradient(x, {2, samples, {}, {}}, 0.5F, -1, into) == 7);
  CHECK(into == std::vector<float>{-2, -1});
}

TEST_CASE("SGD with decay on a quadratic is a geometric approach to c / (a + lambda)") {
  const std::vector<float> curvature{0.5F};
  const Quadratic quadratic(curvature);
  const std::vector<float> c{1.5F};
  constexpr float kEta = 0.1F;
  for (const float decay : {0.0F, 0.25F}) {
    const Sgd sgd{.weight_decay = decay};
    std::vector<float> x{-2};
    const double total = 0.5 + static_cast<double>(decay);
    const double optimum = 1.5 / total;
    for (int k = 1; k <= 100; ++k) {
      const double before = static_cast<double>(x[0]);
      const float loss = sgd.step(quadratic.gradient(), {1, c, {}, {}}, kEta, x, {}, {});
      REQUIRE(static_cast<double>(loss) ==
              doctest::Approx(0.25 * before * before - 1.5 * before).epsilon(1e-5));
      const double exact = optimum + std::pow(1 - 0.1 * total, k) * (-2 - optimum);
      CAPTURE(k);
      REQUIRE(static_cast<double>(x[0]) == doctest::Approx(exact).epsilon(1e-5));
    }
  }
}

TEST_CASE("SGD with momentum on a quadratic is the solution of its second-order recursion") {
  // x_{k+1} = (1 + mu - eta (a + lambda)) x_k - mu x_{k-1}, x_{-1} = x_0: a sum of two powers.
  const std::vector<float> curvature{0.5F};
  const Quadratic quadratic(curvature);
  const std::vector<float> c{0};
  for (const float decay : {0.0F, 0.25F}) {
    for (const float momentum : {0.5F, 0.9F}) {
      const Sgd sgd{.weight_decay = decay, .momentum = momentum};
      std::vector<float> x{3};
      std::vector<float> velocity{0};
      const auto mu = static_cast<double>(momentum);
      const double trace = 1 + mu - 0.125 * (0.5 + static_cast<double>(decay));
      const std::complex<double> root = std::sqrt(std::complex<double>(trace * trace - 4 * mu));
      const std::complex<double> r = (trace + root) / 2.0;
      const std::complex<double> s = (trace - root) / 2.0;
      // x_0 = A + B, x_{-1} = A / r + B / s.
      const std::complex<double> A = 3.0 * (1.0 - 1.0 / s) / (1.0 / r - 1.0 / s);
      const std::complex<double> B = 3.0 - A;
      for (int k = 1; k <= 60; ++k) {
        (void)sgd.step(quadratic.gradient(), {1, c, {}, {}}, 0.125F, x, velocity, {});
        const double exact = (A * std::pow(r, k) + B * std::pow(s, k)).real();
        CAPTURE(k);
        REQUIRE(std::fabs(static_cast<double>(x[0]) - exact) < 1e-5);
      }
    }
  }
}

// f = 1/2 sum_k (x_k - x_{k+1})^2 on a ring: every coordinate's gradient reads its neighbours, so that
// writing the gradient over x while going along would be wrong.
float chain_gradient(const void*, ConstParams at, const Batch&, float keep, float scale, Params into,
                     Scratch) noexcept {
  const std::size_t d = at.size();
  float loss = 0;
  for (std::size_t k = 0; k < d; ++k) {
    const float next = at[(k + 1) % d];
    const float gradient = 2 * at[k] - at[(k + d - 1) % d] - next;
    into[k] = (keep == 0 ? 0 : keep * into[k]) + scale * gradient;
    loss += 0.5F * (at[k] - next) * (at[k] - next);
  }
  return loss;
}

// The same, which copies x to its scratch first.
float chain_gradient_in_place(const void* context, ConstParams at, const Batch& batch, float keep,
                              float scale, Params into, Scratch scratch) noexcept {
  std::copy(at.begin(), at.end(), scratch.begin());
  return chain_gradient(context, scratch.first(at.size()), batch, keep, scale, into, {});
}

TEST_CASE("a user's gradient that cannot work in place gives the trajectory of one that can") {
  constexpr std::size_t kSize = 7;
  const Gradient apart{.function = chain_gradient, .parameters = kSize};
  const Gradient in_place{
      .function = chain_gradient_in_place, .parameters = kSize, .scratch = kSize, .in_place = true};
  for (const float momentum : {0.0F, 0.75F}) {
    for (const float decay : {0.0F, 0.125F}) {
      const Sgd sgd{.weight_decay = decay, .momentum = momentum};
      REQUIRE(sgd.scratch_size(apart) == (momentum == 0 ? kSize : 0));
      REQUIRE(sgd.scratch_size(in_place) == kSize);
      REQUIRE(sgd.velocity_size(apart) == (momentum == 0 ? 0 : kSize));
      std::vector<float> x = normals(kSize, 0);
      std::vector<float> y = x;
      std::vector<float> velocity_x(sgd.velocity_size(apart));
      std::vector<float> velocity_y(sgd.velocity_size(in_place));
      std::vector<float> scratch_x(sgd.scratch_size(apart));
      std::vector<float> scratch_y(sgd.scratch_size(in_place));
      for (int k = 0; k < 50; ++k) {
        const float loss_x = sgd.step(apart, {}, 0.1F, x, velocity_x, scratch_x);
        const float loss_y = sgd.step(in_place, {}, 0.1F, y, velocity_y, scratch_y);
        REQUIRE(loss_x == doctest::Approx(loss_y).epsilon(1e-4));
        for (std::size_t i = 0; i < kSize; ++i) REQUIRE(std::fabs(x[i] - y[i]) < 1e-5F);
      }
    }
  }
}

TEST_CASE("Sgd::check() refuses decay and momentum out of range") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  CHECK(Sgd{}.check() == Status::ok);
  CHECK(Sgd{.weight_decay = 1, .momentum = 0.999F}.check() == Status::ok);
  for (const float bad : {kNan, kInfinity, -kInfinity, -1e-30F}) {
    CHECK(Sgd{.weight_decay = bad}.check() == Status::invalid_rate);
    CHECK(Sgd{.momentum = bad}.check() == Status::invalid_rate);
  }
  CHECK(Sgd{.momentum = 1}.check() == Status::invalid_rate);
}

TEST_CASE("adopt_average() makes both the average and conserves the sum to rounding") {
  for (const std::size_t size : {1UL, 2UL, 15UL, 16UL, 17UL, 100UL}) {
    const auto a = normals(size, 1);
    const auto b = normals(size, 2);
    auto x = a;
    auto y = b;
    popsgd::adopt_average(x, y);
    CHECK(x == y);
    for (std::size_t k = 0; k < size; ++k) {
      const double sum = static_cast<double>(a[k]) + static_cast<double>(b[k]);
      REQUIRE(std::fabs(static_cast<double>(x[k]) + static_cast<double>(y[k]) - sum) <=
              1.2e-7 * std::fabs(sum));
    }
  }
}

TEST_CASE("apply_delta() from both sides moves both to the average") {
  constexpr std::size_t kSize = 37;
  const auto a = normals(kSize, 1);
  const auto b = normals(kSize, 2);
  auto x = a;
  auto y = b;
  popsgd::apply_delta(x, a, b);
  popsgd::apply_delta(y, b, a);
  auto mean_a = a;
  auto mean_b = b;
  popsgd::adopt_average(mean_a, mean_b);
  for (std::size_t k = 0; k < kSize; ++k) {
    REQUIRE(std::fabs(x[k] - mean_a[k]) < 1e-6F);
    REQUIRE(std::fabs(y[k] - mean_b[k]) < 1e-6F);
  }
}

TEST_CASE("apply_delta() takes its own model as the snapshot too") {
  const std::vector<float> b{4, 8};
  std::vector<float> x{2, 0};
  popsgd::apply_delta(x, x, b, 0.25F);
  CHECK(x == std::vector<float>{2.5F, 2});
}

TEST_CASE("deltas and local steps commute, and the pair's sum is what the steps made of it") {
  constexpr std::size_t kSize = 37;
  const auto a = normals(kSize, 1);
  const auto b = normals(kSize, 2);
  const auto step_a = normals(kSize, 3);
  const auto step_b = normals(kSize, 4);
  const auto add = [](std::vector<float> x, const std::vector<float>& step) {
    for (std::size_t k = 0; k < x.size(); ++k) x[k] += step[k];
    return x;
  };
  for (const float weight : {0.5F, 0.3F}) {
    auto stepped_first = add(a, step_a);  // steps went on while the snapshots travelled
    popsgd::apply_delta(stepped_first, a, b, weight);
    auto merged_first = a;
    popsgd::apply_delta(merged_first, a, b, weight);
    merged_first = add(merged_first, step_a);
    auto partner = add(b, step_b);
    popsgd::apply_delta(partner, b, a, weight);
    for (std::size_t k = 0; k < kSize; ++k) {
      REQUIRE(std::fabs(stepped_first[k] - merged_first[k]) < 1e-6F);
      REQUIRE(std::fabs(stepped_first[k] + partner[k] - (a[k] + b[k] + step_a[k] + step_b[k])) < 2e-6F);
    }
  }
}

TEST_CASE("squared_distance() of two models") {
  const std::vector<float> a{1, 2, 3};
  const std::vector<float> b{1, 0, 6};
  CHECK(popsgd::squared_distance(a, b) == 13);
  CHECK(popsgd::squared_distance(a, a) == 0);
}

TEST_CASE("every status has a text of its own") {
  std::set<std::string_view> texts;
  constexpr int kStatuses = static_cast<int>(Status::null_pointer) + 1;  // the last one
  for (int k = 0; k < kStatuses; ++k) {
    const auto line = text(static_cast<Status>(k));
    CHECK(!line.empty());
    CHECK(line.find('\n') == std::string_view::npos);
    texts.insert(line);
  }
  CHECK(texts.size() == kStatuses);
  CHECK(texts.count(text(static_cast<Status>(200))) == 0);
}

TEST_CASE("a Result is a value or a reason") {
  const popsgd::Result<int> value = 5;
  CHECK(value.ok());
  CHECK(value.value() == 5);
  CHECK(value.status() == Status::ok);
  const popsgd::Result<int> reason = Status::invalid_size;
  CHECK(!reason.ok());
  CHECK(reason.status() == Status::invalid_size);
}

}  // namespace
