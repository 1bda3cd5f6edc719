// The C ABI's networks against those of C++: the same bits, and a status for whatever they are not.
#include <popsgd/fixed_network.h>
#include <popsgd/network.h>
#include <popsgd/popsgd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;

constexpr std::array<std::uint32_t, 3> kWidths{3, 5, 4};
constexpr std::size_t kRows = 6;
constexpr std::size_t kParameters = 3 * 5 + 5 + 5 * 4 + 4;
constexpr std::uint64_t kSeed = 9;

constexpr popsgd_network kNetwork{kWidths.data(), kWidths.size(), POPSGD_CROSS_ENTROPY};

// Samples, as C and as C++ have them.
struct Samples {
  std::vector<float> features{};
  std::vector<std::int16_t> integers{};
  std::vector<std::uint32_t> labels{};

  Samples() {
    Random random(1, Purpose::data);
    for (std::size_t k = 0; k < kRows * kWidths[0]; ++k) {
      integers.push_back(static_cast<std::int16_t>(random.below(1024) - 512));
      features.push_back(static_cast<float>(integers.back()) * 0x1p-8F);
    }
    for (std::size_t k = 0; k < kRows; ++k) labels.push_back(random.below(4));
  }
  [[nodiscard]] popsgd_batch c() const { return {kRows, features.data(), labels.data(), nullptr}; }
  [[nodiscard]] Batch cpp() const { return {kRows, features, labels, {}}; }
  [[nodiscard]] popsgd_fixed_batch c_fixed() const {
    return {kRows, integers.data(), labels.data(), nullptr, 8, 0};
  }
  [[nodiscard]] FixedBatch cpp_fixed() const { return {kRows, integers, 8, labels, {}, 0}; }
};

TEST_CASE("a float network of C computes what that of C++ does, bit for bit") {
  const Samples samples;
  const Network network = Network::make(kWidths, Loss::cross_entropy).value();
  REQUIRE(popsgd_network_parameters(&kNetwork) == kParameters);
  REQUIRE(popsgd_network_scratch(&kNetwork, kRows) == network.scratch_size(kRows));
  std::vector<float> scratch(network.scratch_size(kRows));
  std::vector<float> other(scratch.size());
  std::vector<float> x(kParameters);
  std::vector<float> y(kParameters);
  CHECK(popsgd_network_initialise(&kNetwork, x.data(), kSeed) == POPSGD_OK);
  network.initialise(y, Random(kSeed, Purpose::initial_model));
  CHECK(x == y);

  const popsgd_batch batch = samples.c();
  CHECK(popsgd_network_check(&kNetwork, &batch) == POPSGD_OK);
  const popsgd_gradient gradient = popsgd_network_gradient(&kNetwork, kRows);
  CHECK(gradient.parameters == kParameters);
  CHECK(gradient.scratch == scratch.size());
  CHECK(gradient.in_place);
  for (int step = 0; step < 20; ++step) {
    const float loss = gradient.function(gradient.context, x.data(), &batch, 0.9F, -0.5F, x.data(),
                                         scratch.data(), scratch.size());
    CHECK(loss == network.add_gradient(y, samples.cpp(), 0.9F, -0.5F, y, other));
    CHECK(x == y);
  }

  const float* values = nullptr;
  CHECK(popsgd_network_forward(&kNetwork, x.data(), &batch, scratch.data(), scratch.size(), &values) ==
        POPSGD_OK);
  const auto expected = network.forward(y, samples.cpp(), other);
  CHECK(std::ranges::equal(std::span(values, expected.size()), expected));
  popsgd_evaluation evaluation{};
  CHECK(popsgd_network_evaluate(&kNetwork, x.data(), &batch, scratch.data(), scratch.size(), &evaluation) ==
        POPSGD_OK);
  const auto evaluated = network.evaluate(y, samples.cpp(), other);
  CHECK(evaluation.loss == evaluated.loss);
  CHECK(evaluation.correct == evaluated.correct);
}

TEST_CASE("what is no float network has no parameters and no gradient, and a status") {
  const Samples samples;
  const popsgd_batch batch = samples.c();
  std::array<float, 64> room{};
  const float* values = nullptr;
  popsgd_evaluation evaluation{};
  const auto refused = [&](const popsgd_network* network, popsgd_status status) {
    CHECK(popsgd_network_parameters(network) == 0);
    CHECK(popsgd_network_scratch(network, 1) == 0);
    CHECK(!popsgd_network_gradient(network, 1).function);
    CHECK(popsgd_network_check(network, &batch) == status);
    CHECK(popsgd_network_initialise(network, room.data(), 1) == status);
    CHECK(popsgd_network_forward(network, room.data(), &batch, room.data(), 64, &values) == status);
    CHECK(popsgd_network_evaluate(network, room.data(), &batch, room.data(), 64, &evaluation) == status);
  };
  refused(nullptr, POPSGD_NULL_POINTER);
  const auto changed = [](auto change) {
    popsgd_network network = kNetwork;
    change(network);
    return network;
  };
  popsgd_network network = changed([](popsgd_network& n) { n.widths = nullptr; });
  refused(&network, POPSGD_NULL_POINTER);
  network = changed([](popsgd_network& n) { n.width_count = 1; });
  refused(&network, POPSGD_INVALID_SIZE);
  network = changed([](popsgd_network& n) { n.loss = POPSGD_LOGISTIC; });
  refused(&network, POPSGD_INVALID_SIZE);
  network = changed([](popsgd_network& n) { n.loss = POPSGD_CROSS_ENTROPY + 1; });
  refused(&network, POPSGD_INVALID_SIZE);
}

TEST_CASE("what does not go with a float network is refused, and not learned from") {
  const Samples samples;
  std::vector<float> x(kParameters, 1);
  std::vector<float> scratch(popsgd_network_scratch(&kNetwork, kRows));
  const popsgd_gradient gradient = popsgd_network_gradient(&kNetwork, kRows);
  const auto refused = [&](const popsgd_batch* batch, popsgd_status status) {
    popsgd_evaluation evaluation{};
    CHECK(popsgd_network_check(&kNetwork, batch) == status);
    CHECK(popsgd_network_evaluate(&kNetwork, x.data(), batch, scratch.data(), scratch.size(), &evaluation) ==
          status);
    std::vector<float> into(kParameters, 2);
    const auto add = [&](float keep) {
      return gradient.function(gradient.context, x.data(), batch, keep, 1, into.data(), scratch.data(),
                               scratch.size());
    };
    CHECK(std::isnan(add(0.5F)));
    CHECK(into == std::vector<float>(kParameters, 1));
    into.assign(kParameters, std::numeric_limits<float>::quiet_NaN());
    CHECK(std::isnan(add(0)));
    CHECK(into == std::vector<float>(kParameters, 0));
  };
  refused(nullptr, POPSGD_NULL_POINTER);
  popsgd_batch batch = samples.c();
  batch.features = nullptr;
  refused(&batch, POPSGD_NULL_POINTER);
  batch = samples.c();
  batch.rows = 0;
  refused(&batch, POPSGD_SHAPE_MISMATCH);
  batch.rows = SIZE_MAX / 4;
  refused(&batch, POPSGD_SHAPE_MISMATCH);
  batch = samples.c();
  batch.labels = nullptr;
  refused(&batch, POPSGD_SHAPE_MISMATCH);
  auto labels = samples.labels;
  labels[3] = 4;
  batch.labels = labels.data();
  refused(&batch, POPSGD_LABEL_OUT_OF_RANGE);

  batch = samples.c();
  const float loss = gradient.function(gradient.context, x.data(), &batch, 1, 1, x.data(), scratch.data(),
                                       scratch.size() - 1);
  CHECK(std::isnan(loss));
  CHECK(x == std::vector<float>(kParameters, 1));
  const float* values = nullptr;
  popsgd_evaluation evaluation{};
  const std::size_t few = scratch.size() - 1;
  CHECK(popsgd_network_forward(&kNetwork, x.data(), &batch, scratch.data(), few, &values) ==
        POPSGD_SCRATCH_TOO_SMALL);
  CHECK(popsgd_network_evaluate(&kNetwork, x.data(), &batch, scratch.data(), few, &evaluation) ==
        POPSGD_SCRATCH_TOO_SMALL);
  CHECK(popsgd_network_scratch(&kNetwork, SIZE_MAX / 4) == 0);
  CHECK(!popsgd_network_gradient(&kNetwork, SIZE_MAX / 4).function);

  CHECK(popsgd_network_initialise(&kNetwork, nullptr, 1) == POPSGD_NULL_POINTER);
  CHECK(popsgd_network_forward(&kNetwork, nullptr, &batch, scratch.data(), scratch.size(), &values) ==
        POPSGD_NULL_POINTER);
  CHECK(popsgd_network_forward(&kNetwork, x.data(), nullptr, scratch.data(), scratch.size(), &values) ==
        POPSGD_NULL_POINTER);
  CHECK(popsgd_network_forward(&kNetwork, x.data(), &batch, nullptr, scratch.size(), &values) ==
        POPSGD_NULL_POINTER);
  CHECK(popsgd_network_forward(&kNetwork, x.data(), &batch, scratch.data(), scratch.size(), nullptr) ==
        POPSGD_NULL_POINTER);
  CHECK(popsgd_network_evaluate(&kNetwork, x.data(), &batch, scratch.data(), scratch.size(), nullptr) ==
        POPSGD_NULL_POINTER);
}

// The functions of a kind of fixed network, by one name each.
template <typename Weight, typename Activation>
struct Kind;
#define KIND(weight, activation, name)                                             \
  template <>                                                                      \
  struct Kind<weight, activation> {                                                \
    static constexpr auto choose_formats = popsgd_##name##_network_choose_formats; \
    static constexpr auto scratch = popsgd_##name##_network_scratch;               \
    static constexpr auto check = popsgd_##name##_network_check;                   \
    static constexpr auto initialise = popsgd_##name##_network_initialise;         \
    static constexpr auto forward = popsgd_##name##_network_forward;               \
    static constexpr auto evaluate = popsgd_##name##_network_evaluate;             \
    static constexpr auto gradient = popsgd_##name##_network_gradient;             \
    using Weight = weight;                                                         \
    using Cpp = FixedNetwork<weight, activation>;                                  \
  }
KIND(std::int16_t, std::int16_t, int16);
KIND(std::int8_t, std::int16_t, int8);
KIND(std::int8_t, std::int8_t, int8x8);
#undef KIND
using Int16 = Kind<std::int16_t, std::int16_t>;
using Int8 = Kind<std::int8_t, std::int16_t>;
using Int8x8 = Kind<std::int8_t, std::int8_t>;

template <typename K>
struct FixedModel {
  std::array<popsgd_layer_format, 2> formats{};
  popsgd_fixed_network network{kWidths.data(), kWidths.size(), formats.data(), POPSGD_CROSS_ENTROPY};
  std::vector<typename K::Weight> x = std::vector<typename K::Weight>(kParameters);
  std::vector<std::int32_t> scratch{};

  FixedModel() {
    REQUIRE(K::choose_formats(kWidths.data(), kWidths.size(), formats.data()) == POPSGD_OK);
    REQUIRE(K::initialise(&network, x.data(), kSeed) == POPSGD_OK);
    scratch.resize(K::scratch(&network, kRows));
  }
  FixedModel(const FixedModel&) = delete;
};

TEST_CASE_TEMPLATE("a fixed network of C computes what that of C++ does, bit for bit", K, Int16, Int8,
                   Int8x8) {
  const Samples samples;
  FixedModel<K> c;
  std::array<LayerFormat, 2> formats;
  K::Cpp::choose_formats(kWidths, formats);
  for (std::size_t l = 0; l < 2; ++l) {
    CHECK(c.formats[l].weights == formats[l].weights);
    CHECK(c.formats[l].biases == formats[l].biases);
    CHECK(c.formats[l].activations == formats[l].activations);
  }
  const auto network = K::Cpp::make(kWidths, Loss::cross_entropy, formats).value();
  CHECK(popsgd_fixed_network_parameters(&c.network) == kParameters);
  REQUIRE(c.scratch.size() == network.scratch_size(kRows));
  std::vector<std::int32_t> scratch(c.scratch.size());
  std::vector<typename K::Weight> y(kParameters);
  network.initialise(y, Random(kSeed, Purpose::initial_model));
  CHECK(c.x == y);

  std::array<Tensor, 4> expected;
  network.layout(expected);
  std::array<popsgd_tensor, 4> layout;
  CHECK(popsgd_fixed_network_layout(&c.network, layout.data(), 4) == POPSGD_OK);
  for (std::size_t k = 0; k < 4; ++k) CHECK(Tensor{layout[k].length, layout[k].fraction} == expected[k]);

  const popsgd_fixed_batch batch = samples.c_fixed();
  CHECK(K::check(&c.network, &batch) == POPSGD_OK);
  const auto gradient = K::gradient(&c.network, kRows);
  CHECK(gradient.parameters == kParameters);
  CHECK(gradient.scratch == scratch.size());
  popsgd_random noise;
  popsgd_random_init(&noise, 3, 0);
  Random same(3, Purpose::user);
  std::uint64_t saturated = 0;
  std::uint64_t expected_saturated = 0;
  const popsgd_fixed_rate rate = popsgd_fixed_rate_of(0.5);
  for (int step = 0; step < 20; ++step) {
    const std::int32_t loss = gradient.function(gradient.context, c.x.data(), &batch, rate, &noise,
                                                c.scratch.data(), c.scratch.size(), &saturated);
    CHECK(loss ==
          network.step(y, samples.cpp_fixed(), FixedRate::from(0.5), same, scratch, expected_saturated));
    CHECK(c.x == y);
    CHECK(saturated == expected_saturated);
  }

  const std::int32_t* values = nullptr;
  CHECK(K::forward(&c.network, c.x.data(), &batch, c.scratch.data(), c.scratch.size(), &values) == POPSGD_OK);
  const auto wanted = network.forward(y, samples.cpp_fixed(), scratch, saturated);
  CHECK(std::ranges::equal(std::span(values, wanted.size()), wanted));
  popsgd_fixed_evaluation evaluation{};
  CHECK(K::evaluate(&c.network, c.x.data(), &batch, c.scratch.data(), c.scratch.size(), &evaluation) ==
        POPSGD_OK);
  const auto evaluated = network.evaluate(y, samples.cpp_fixed(), scratch);
  CHECK(evaluation.loss == evaluated.loss);
  CHECK(evaluation.correct == evaluated.correct);
  CHECK(evaluation.saturated == evaluated.saturated);
}

TEST_CASE_TEMPLATE("what is no fixed network has no parameters and no gradient, and a status", K, Int16, Int8,
                   Int8x8) {
  const Samples samples;
  const popsgd_fixed_batch batch = samples.c_fixed();
  FixedModel<K> c;
  const auto refused = [&](const popsgd_fixed_network* network, popsgd_status status) {
    const std::int32_t* values = nullptr;
    popsgd_fixed_evaluation evaluation{};
    std::array<popsgd_tensor, 4> layout{};
    const std::size_t size = c.scratch.size();
    CHECK(popsgd_fixed_network_parameters(network) == 0);
    CHECK(popsgd_fixed_network_layout(network, layout.data(), 4) == status);
    CHECK(K::scratch(network, 1) == 0);
    CHECK(!K::gradient(network, 1).function);
    CHECK(K::check(network, &batch) == status);
    CHECK(K::initialise(network, c.x.data(), 1) == status);
    CHECK(K::forward(network, c.x.data(), &batch, c.scratch.data(), size, &values) == status);
    CHECK(K::evaluate(network, c.x.data(), &batch, c.scratch.data(), size, &evaluation) == status);
  };
  refused(nullptr, POPSGD_NULL_POINTER);
  popsgd_fixed_network network = c.network;
  network.widths = nullptr;
  refused(&network, POPSGD_NULL_POINTER);
  network = c.network;
  network.formats = nullptr;
  refused(&network, POPSGD_NULL_POINTER);
  network = c.network;
  network.width_count = 1;
  refused(&network, POPSGD_INVALID_SIZE);
  network.width_count = 0;
  refused(&network, POPSGD_INVALID_SIZE);
  network = c.network;
  network.loss = POPSGD_CROSS_ENTROPY + 1;
  refused(&network, POPSGD_INVALID_SIZE);
  network = c.network;
  c.formats[1].biases = 21;
  refused(&network, POPSGD_UNKNOWN_FORMAT);
}

TEST_CASE_TEMPLATE("what does not go with a fixed network is refused, and not learned from", K, Int16, Int8,
                   Int8x8) {
  const Samples samples;
  FixedModel<K> c;
  const auto before = c.x;
  const auto gradient = K::gradient(&c.network, kRows);
  const std::size_t size = c.scratch.size();
  popsgd_random noise;
  popsgd_random_init(&noise, 3, 0);
  std::uint64_t saturated = 0;
  const auto step = [&](const popsgd_fixed_batch* batch, std::size_t words) {
    return gradient.function(gradient.context, c.x.data(), batch, {1, 0}, &noise, c.scratch.data(), words,
                             &saturated);
  };
  const auto refused = [&](const popsgd_fixed_batch* batch, popsgd_status status) {
    popsgd_fixed_evaluation evaluation{};
    CHECK(K::check(&c.network, batch) == status);
    CHECK(K::evaluate(&c.network, c.x.data(), batch, c.scratch.data(), size, &evaluation) == status);
    CHECK(step(batch, size) == INT32_MAX);
    CHECK(c.x == before);
  };
  refused(nullptr, POPSGD_NULL_POINTER);
  popsgd_fixed_batch batch = samples.c_fixed();
  batch.features = nullptr;
  refused(&batch, POPSGD_NULL_POINTER);
  batch = samples.c_fixed();
  batch.rows = 0;
  refused(&batch, POPSGD_SHAPE_MISMATCH);
  batch.rows = POPSGD_FIXED_ROWS + 1;
  refused(&batch, POPSGD_SHAPE_MISMATCH);
  batch = samples.c_fixed();
  batch.labels = nullptr;
  refused(&batch, POPSGD_SHAPE_MISMATCH);
  batch = samples.c_fixed();
  batch.fraction = -1;
  refused(&batch, POPSGD_UNKNOWN_FORMAT);
  const std::int32_t* values = nullptr;
  CHECK(K::forward(&c.network, c.x.data(), &batch, c.scratch.data(), size, &values) == POPSGD_UNKNOWN_FORMAT);

  batch = samples.c_fixed();
  CHECK(step(&batch, size - 1) == INT32_MAX);
  CHECK(c.x == before);
  popsgd_fixed_evaluation evaluation{};
  CHECK(K::forward(&c.network, c.x.data(), &batch, c.scratch.data(), size - 1, &values) ==
        POPSGD_SCRATCH_TOO_SMALL);
  CHECK(K::evaluate(&c.network, c.x.data(), &batch, c.scratch.data(), size - 1, &evaluation) ==
        POPSGD_SCRATCH_TOO_SMALL);
  CHECK(K::scratch(&c.network, POPSGD_FIXED_ROWS) > 0);
  CHECK(K::scratch(&c.network, POPSGD_FIXED_ROWS + 1) == 0);
  CHECK(!K::gradient(&c.network, POPSGD_FIXED_ROWS + 1).function);

  CHECK(K::choose_formats(nullptr, 3, c.formats.data()) == POPSGD_NULL_POINTER);
  CHECK(K::choose_formats(kWidths.data(), 3, nullptr) == POPSGD_NULL_POINTER);
  CHECK(K::choose_formats(kWidths.data(), 1, c.formats.data()) == POPSGD_INVALID_SIZE);
  CHECK(K::initialise(&c.network, nullptr, 1) == POPSGD_NULL_POINTER);
  CHECK(K::forward(&c.network, nullptr, &batch, c.scratch.data(), size, &values) == POPSGD_NULL_POINTER);
  CHECK(K::forward(&c.network, c.x.data(), nullptr, c.scratch.data(), size, &values) == POPSGD_NULL_POINTER);
  CHECK(K::evaluate(&c.network, c.x.data(), &batch, nullptr, size, &evaluation) == POPSGD_NULL_POINTER);
  std::array<popsgd_tensor, 4> layout{};
  CHECK(popsgd_fixed_network_layout(&c.network, nullptr, 4) == POPSGD_NULL_POINTER);
  CHECK(popsgd_fixed_network_layout(&c.network, layout.data(), 3) == POPSGD_SHAPE_MISMATCH);
}

}  // namespace
