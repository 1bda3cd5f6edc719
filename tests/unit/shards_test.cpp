#include <popsgd/random.h>
#include <popsgd/sim/error.h>
#include <popsgd/sim/shards.h>
#include <popsgd/sim/speeds.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using popsgd::Purpose;
using popsgd::Random;
using popsgd::sim::AliasTable;
using popsgd::sim::Dataset;
using popsgd::sim::Error;
using popsgd::sim::make_speeds;
using popsgd::sim::Shards;

namespace {

/// `rows` rows of the classes 0, 1, ... in turn.
Dataset labelled(std::size_t rows, std::size_t classes) {
  Dataset data;
  data.rows = rows;
  data.classes = classes;
  for (std::size_t row = 0; row < rows; ++row)
    data.labels.push_back(static_cast<std::uint32_t>(row % classes));
  return data;
}

Dataset unlabelled(std::size_t rows) {
  Dataset data;
  data.rows = rows;
  return data;
}

std::vector<std::size_t> class_counts(const Shards& shards, const Dataset& data, std::uint32_t agent) {
  std::vector<std::size_t> counts(data.classes, 0);
  for (const std::uint32_t row : shards.of(agent)) ++counts[data.labels[row]];
  return counts;
}

std::size_t classes_held(const Shards& shards, const Dataset& data, std::uint32_t agent) {
  const auto counts = class_counts(shards, data, agent);
  return counts.size() - static_cast<std::size_t>(std::ranges::count(counts, 0U));
}

/// Every row in exactly one shard, and no shard empty.
void check_partition(const Shards& shards, std::size_t rows, std::uint32_t agents) {
  std::vector<std::uint32_t> all;
  for (std::uint32_t agent = 0; agent < agents; ++agent) {
    CHECK_FALSE(shards.of(agent).empty());
    CHECK(std::ranges::is_sorted(shards.of(agent)));
    all.insert(all.end(), shards.of(agent).begin(), shards.of(agent).end());
  }
  std::ranges::sort(all);
  REQUIRE(all.size() == rows);
  bool each_once = true;
  for (std::size_t row = 0; row < rows; ++row) each_once = each_once && all[row] == row;
  CHECK(each_once);
}

std::string error_of(const std::string& spec, const Dataset& data, std::uint32_t agents) {
  try {
    (void)Shards::make(spec, data, agents, 1);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("shared shards store nothing, for any number of agents") {
  const auto shards = Shards::make("shared", unlabelled(10), 1'000'000, 1);
  CHECK(shards.shared());
  CHECK(shards.of(999'999).empty());
}

TEST_CASE("iid shards differ in size by at most one") {
  for (const std::uint32_t agents : {1U, 3U, 7U, 100U}) {
    const auto shards = Shards::make("iid", unlabelled(100), agents, 3);
    CHECK_FALSE(shards.shared());
    check_partition(shards, 100, agents);
    for (std::uint32_t agent = 0; agent < agents; ++agent) {
      CHECK(shards.of(agent).size() >= 100 / agents);
      CHECK(shards.of(agent).size() <= (100 + agents - 1) / agents);
    }
  }
}

TEST_CASE("every deal uses each row exactly once and leaves no agent without") {
  for (const std::string spec : {"dirichlet:0.000001", "dirichlet:0.01", "dirichlet:0.1", "dirichlet:1",
                                 "dirichlet:1000000", "labels:1", "labels:2"})
    for (const std::uint32_t agents : {1U, 7U, 40U, 500U}) {
      CAPTURE(spec);
      CAPTURE(agents);
      const auto data = labelled(1003, 10);
      check_partition(Shards::make(spec, data, agents, 5), data.rows, agents);
    }
  check_partition(Shards::make("dirichlet:0.01", labelled(50, 3), 50, 5), 50, 50);
}

TEST_CASE("classes that no row has are dealt around") {
  auto data = labelled(90, 3);
  data.classes = 8;
  check_partition(Shards::make("dirichlet:0.5", data, 4, 1), 90, 4);
  check_partition(Shards::make("labels:2", data, 4, 1), 90, 4);
}

TEST_CASE("a large Dirichlet parameter gives every agent the same mix of classes") {
  const auto data = labelled(10'000, 10);
  const auto shards = Shards::make("dirichlet:100000", data, 10, 2);
  // A proportion of 1/10 has a deviation of 0.0003: 0.3 rows of the 1000 of a class.
  for (std::uint32_t agent = 0; agent < 10; ++agent)
    for (const std::size_t count : class_counts(shards, data, agent)) {
      CHECK(count >= 97);
      CHECK(count <= 103);
    }
}

TEST_CASE("a small Dirichlet parameter gives each class to hardly more than one agent") {
  // With alpha = 0.01 over 20 agents the sum of squared proportions has mean (1 + alpha) / (1 + 20 alpha) =
  // 0.84; over 100 classes its mean is certain to be above 0.7. At 1e-6 a class is never divided.
  const auto data = labelled(20'000, 100);
  const auto concentration = [&](const std::string& spec) {
    const auto shards = Shards::make(spec, data, 20, 8);
    double sum = 0;
    for (std::uint32_t agent = 0; agent < 20; ++agent)
      for (const std::size_t count : class_counts(shards, data, agent))
        sum += std::pow(static_cast<double>(count) / 200, 2) / 100;
    return sum;
  };
  CHECK(concentration("dirichlet:0.01") > 0.7);
  CHECK(concentration("dirichlet:0.000001") > 0.99);
}

TEST_CASE("Dirichlet proportions have the distribution's mean and second moment") {
  // The share of one agent in a class is Beta(alpha, (n - 1) alpha), independently over 2000 classes. Means
  // of p and p^2 within 4.9 deviations, plus half a row in 400 for rounding: a false alarm in 1e6 each.
  constexpr std::uint32_t n = 10;
  constexpr std::size_t classes = 2000;
  const auto data = labelled(400 * classes, classes);
  for (const double alpha : {0.05, 0.5, 3.0, 20.0}) {
    CAPTURE(alpha);
    const auto shards = Shards::make("dirichlet:" + std::to_string(alpha), data, n, 6);
    double first = 0;
    double second = 0;
    for (const std::size_t count : class_counts(shards, data, 3)) {
      const double p = static_cast<double>(count) / 400;
      first += p / classes;
      second += p * p / classes;
    }
    std::vector<double> moment{1};  // E p^k = prod_{j < k} (alpha + j) / (n alpha + j)
    for (int j = 0; j < 4; ++j) moment.push_back(moment.back() * (alpha + j) / (n * alpha + j));
    const double deviation1 = std::sqrt((moment[2] - moment[1] * moment[1]) / classes);
    const double deviation2 = std::sqrt((moment[4] - moment[2] * moment[2]) / classes);
    CHECK(std::abs(first - moment[1]) < 4.9 * deviation1 + 0.5 / 400 / std::sqrt(1.0 * classes));
    CHECK(std::abs(second - moment[2]) < 4.9 * deviation2 + 0.5 / 400 / std::sqrt(1.0 * classes));
  }
}

TEST_CASE("labels:K gives an agent few classes") {
  const auto data = labelled(60'000, 10);
  for (const std::uint32_t k : {1U, 2U, 4U}) {
    const auto shards = Shards::make("labels:" + std::to_string(k), data, 100, 4);
    double sum = 0;
    for (std::uint32_t agent = 0; agent < 100; ++agent) {
      // 600 k rows in k pieces, none of which crosses into another class: 6000 is a multiple of each.
      CHECK(classes_held(shards, data, agent) <= k);
      CHECK(shards.of(agent).size() == 600);
      sum += static_cast<double>(classes_held(shards, data, agent));
    }
    CHECK(sum / 100 > k * 0.7);
  }
  const auto uneven = labelled(9973, 10);  // pieces that cross: a class more for some
  const auto shards = Shards::make("labels:2", uneven, 37, 4);
  double sum = 0;
  for (std::uint32_t agent = 0; agent < 37; ++agent) {
    CHECK(classes_held(shards, uneven, agent) <= 4);
    sum += static_cast<double>(classes_held(shards, uneven, agent));
  }
  CHECK(sum / 37 < 3);
}

TEST_CASE("the same seed deals the same rows and another seed others") {
  const auto data = labelled(500, 5);
  for (const std::string spec : {"iid", "dirichlet:0.3", "labels:2"}) {
    const auto shards = Shards::make(spec, data, 10, 1);
    CHECK(std::ranges::equal(shards.of(4), Shards::make(spec, data, 10, 1).of(4)));
    CHECK_FALSE(std::ranges::equal(shards.of(4), Shards::make(spec, data, 10, 2).of(4)));
  }
}

TEST_CASE("impossible shards are refused") {
  const auto data = labelled(100, 10);
  for (const std::string spec :
       {"", "iids", "iid:2", "dirichlet", "dirichlet:", "dirichlet:0", "dirichlet:-1", "dirichlet:nan",
        "dirichlet:inf", "dirichlet:1,2", "dirichlet:1e-9", "labels", "labels:0", "labels:-1", "labels:11",
        "labels:x", "shared:1"}) {
    CAPTURE(spec);
    CHECK(error_of(spec, data, 10) != "");
  }
  CHECK(error_of("shared", data, 0) != "");
  CHECK(contains(error_of("iid", data, 101), "use shared"));
  CHECK(contains(error_of("dirichlet:0.1", unlabelled(100), 10), "by class"));
  CHECK(contains(error_of("labels:2", unlabelled(100), 10), "by class"));
  CHECK(contains(error_of("dirchlet:0.1", data, 10), "did you mean 'dirichlet'"));
  CHECK(contains(error_of("labels:11", data, 10), "from 1 to 10"));
}

TEST_CASE("speeds have mean 1 and the ratio asked for") {
  for (const std::string spec : {"equal", "uniform:10", "two:10,0.25"}) {
    const auto speeds = make_speeds(spec, 1000, 3);
    CHECK(std::accumulate(speeds.begin(), speeds.end(), 0.0) / 1000 == doctest::Approx(1));
  }
  const auto equal = make_speeds("equal", 4, 3);
  CHECK(equal == std::vector<double>(4, 1.0));

  const auto uniform = make_speeds("uniform:10", 1000, 3);
  const double low = std::ranges::min(uniform);
  const double high = std::ranges::max(uniform);
  CHECK(high / low == doctest::Approx(std::pow(10.0, 0.999)));
  const auto below_middle =
      std::ranges::count_if(uniform, [&](double s) { return s < std::sqrt(low * high); });
  CHECK(std::abs(static_cast<double>(below_middle) - 500) <= 1);

  const auto two = make_speeds("two:10,0.25", 1000, 3);
  const double fast = *std::ranges::max_element(two);
  CHECK(std::ranges::count(two, fast) == 250);
  CHECK(fast / *std::ranges::min_element(two) == doctest::Approx(10));
  CHECK(std::ranges::count(make_speeds("two:10,0.01", 5, 3), 10 / 2.8) == 1);
}

TEST_CASE("the seed decides which agent has which speed") {
  const auto speeds = make_speeds("two:5,0.5", 100, 3);
  CHECK(speeds == make_speeds("two:5,0.5", 100, 3));
  CHECK(speeds != make_speeds("two:5,0.5", 100, 4));
}

TEST_CASE("impossible speeds are refused") {
  for (const std::string spec :
       {"", "equals", "equal:1", "uniform", "uniform:0.5", "uniform:-2", "uniform:nan", "uniform:1e9",
        "two:10", "two:10,0", "two:10,1", "two:10,x", "two:0,0.5"}) {
    CAPTURE(spec);
    CHECK_THROWS_AS((void)make_speeds(spec, 10, 1), Error);
  }
  CHECK_THROWS_AS((void)make_speeds("equal", 0, 1), Error);
}

TEST_CASE("an alias table has the exact probabilities") {
  // Evenly spaced draws: each of the n columns is crossed at its threshold with an error below one draw.
  const std::vector<std::vector<double>> tables{{1},
                                                {1, 1, 1},
                                                {1, 2, 3, 4},
                                                {0, 5, 0},
                                                {1e-9, 1, 1e9},
                                                {10, 0.1, 0.1, 3, 0, 7, 7},
                                                make_speeds("uniform:10", 61, 1)};
  constexpr std::uint64_t draws = 1U << 20;
  for (const auto& weights : tables) {
    const AliasTable table(weights);
    std::vector<double> frequency(weights.size(), 0);
    for (std::uint64_t d = 0; d < draws; ++d) frequency[table(d << 44 | 0x7FF'FFFF'FFFFU)] += 1.0 / draws;
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      CHECK(std::abs(frequency[i] - weights[i] / total) < 2.0 * static_cast<double>(weights.size()) / draws);
      if (weights[i] == 0) CHECK(frequency[i] == 0);
    }
  }
}

TEST_CASE("an alias table reaches its first and last index at the extreme draws") {
  const AliasTable table(std::vector<double>(1000, 1.0));
  CHECK(table(0) == 0);
  CHECK(table(std::numeric_limits<std::uint64_t>::max()) == 999);
}

TEST_CASE("draws from an alias table pass a chi-square test") {
  // Two million draws over 50 agents; the statistic exceeds 112 with a probability of 1e-6 at 49 degrees of
  // freedom (Wilson and Hilferty).
  const auto speeds = make_speeds("uniform:10", 50, 2);
  const AliasTable table(speeds);
  Random random(17, Purpose::pairs);
  constexpr int draws = 2'000'000;
  std::vector<int> count(50, 0);
  for (int d = 0; d < draws; ++d) ++count[table(random.bits64())];
  double chi_square = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    const double expected = draws * speeds[i] / 50;
    chi_square += (count[i] - expected) * (count[i] - expected) / expected;
  }
  CHECK(chi_square < 112);
}

TEST_CASE("an alias table refuses weights without a distribution") {
  const auto made_of = [](const std::vector<double>& weights) { (void)AliasTable(weights); };
  CHECK_THROWS_AS(made_of({}), Error);
  CHECK_THROWS_AS(made_of({0, 0}), Error);
  CHECK_THROWS_AS(made_of({1, -1, 3}), Error);
  CHECK_THROWS_AS(made_of({1, std::nan("")}), Error);
  CHECK_THROWS_AS(made_of({1, std::numeric_limits<double>::infinity()}), Error);
}
