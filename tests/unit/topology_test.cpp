#include <popsgd/sim/error.h>
#include <popsgd/sim/topology.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <string>
#include <vector>

#include <Eigen/Dense>
#include <doctest/doctest.h>

using popsgd::sim::Edge;
using popsgd::sim::Error;
using popsgd::sim::Topology;

namespace {

/// A file of edges for the length of a test.
class EdgeFile {
 public:
  explicit EdgeFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              ("popsgd_edges_" + std::to_string(reinterpret_cast<std::uintptr_t>(this)) + ".txt")) {
    std::ofstream(path_) << text;
  }
  explicit EdgeFile(const std::vector<Edge>& edges) : EdgeFile(lines(edges)) {}
  ~EdgeFile() { std::filesystem::remove(path_); }
  EdgeFile(const EdgeFile&) = delete;
  EdgeFile& operator=(const EdgeFile&) = delete;

  [[nodiscard]] std::string spec() const { return "edges:" + path_.string(); }
  [[nodiscard]] Topology topology(std::uint32_t agents) const { return Topology::make(spec(), agents, 1); }

 private:
  static std::string lines(const std::vector<Edge>& edges) {
    std::string text;
    for (const auto [a, b] : edges) text += std::to_string(a) + " " + std::to_string(b) + "\n";
    return text;
  }
  std::filesystem::path path_;
};

std::string error_of(const std::string& spec, std::uint32_t agents) {
  try {
    (void)Topology::make(spec, agents, 1);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::uint32_t reached_from_first(const Topology& t) {
  std::vector<bool> seen(t.agents(), false);
  std::vector<std::uint32_t> open{0};
  std::uint32_t count = 0;
  for (seen[0] = true; !open.empty(); ++count) {
    const std::uint32_t agent = open.back();
    open.pop_back();
    for (const std::uint32_t next : t.neighbours(agent)) {
      if (!seen[next]) open.push_back(next);
      seen[next] = true;
    }
  }
  return count;
}

/// Simple, connected, edges sorted with a < b, and the neighbour lists sorted and of the same edges.
void check_graph(const Topology& t) {
  const auto edges = t.edge_list();
  CHECK(edges.size() == t.edges());
  CHECK(std::ranges::is_sorted(edges));
  CHECK(std::ranges::adjacent_find(edges) == edges.end());
  CHECK(std::ranges::all_of(edges, [&](Edge e) { return e.a < e.b && e.b < t.agents(); }));

  std::vector<Edge> listed;
  for (std::uint32_t a = 0; a < t.agents(); ++a) {
    CHECK(std::ranges::is_sorted(t.neighbours(a)));
    for (const std::uint32_t b : t.neighbours(a)) listed.push_back({std::min(a, b), std::max(a, b)});
  }
  std::ranges::sort(listed);
  REQUIRE(listed.size() == 2 * edges.size());
  bool same = true;
  for (std::size_t e = 0; e < edges.size(); ++e)
    same = same && listed[2 * e] == edges[e] && listed[2 * e + 1] == edges[e];
  CHECK(same);
  CHECK(reached_from_first(t) == t.agents());
}

bool all_degrees_are(const Topology& t, std::size_t degree) {
  for (std::uint32_t a = 0; a < t.agents(); ++a)
    if (t.neighbours(a).size() != degree) return false;
  return true;
}

double dense_gap(const Topology& t) {
  Eigen::MatrixXd laplacian = Eigen::MatrixXd::Zero(t.agents(), t.agents());
  for (const auto [a, b] : t.edge_list()) {
    laplacian(a, a) += 1;
    laplacian(b, b) += 1;
    laplacian(a, b) = laplacian(b, a) = -1;
  }
  return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(laplacian, Eigen::EigenvaluesOnly).eigenvalues()(1);
}

std::vector<Edge> petersen() {
  std::vector<Edge> edges;
  for (std::uint32_t i = 0; i < 5; ++i) {
    edges.push_back({i, (i + 1) % 5});
    edges.push_back({i, i + 5});
    edges.push_back({i + 5, (i + 2) % 5 + 5});
  }
  return edges;
}

std::vector<Edge> hypercube(std::uint32_t dimensions) {
  std::vector<Edge> edges;
  for (std::uint32_t v = 0; v < 1U << dimensions; ++v)
    for (std::uint32_t bit = 1; bit < 1U << dimensions; bit <<= 1)
      if ((v & bit) == 0) edges.push_back({v, v | bit});
  return edges;
}

/// A topology's edges, to read back from a file and so without their closed form.
std::vector<Edge> edges_of(const Topology& t) {
  return {t.edge_list().begin(), t.edge_list().end()};
}

}  // namespace

TEST_CASE("a complete graph of a million agents stores nothing") {
  const auto t = Topology::make("complete", 1'000'000, 1);
  CHECK(t.complete());
  CHECK(t.name() == "complete");
  CHECK(t.edges() == 499'999'500'000U);
  CHECK(t.edge_list().empty());
  CHECK(t.spectral_gap() == 1e6);
}

TEST_CASE("a ring joins each agent to the two beside it") {
  for (const std::uint32_t n : {3U, 4U, 17U}) {
    const auto t = Topology::make("ring", n, 1);
    check_graph(t);
    CHECK_FALSE(t.complete());
    CHECK(t.edges() == n);
    CHECK(all_degrees_are(t, 2));
  }
  const auto t = Topology::make("ring", 10, 1);
  CHECK(std::ranges::equal(t.neighbours(0), std::vector<std::uint32_t>{1, 9}));
}

TEST_CASE("a torus is the most square grid, wrapped both ways") {
  for (const std::uint32_t n : {9U, 12U, 15U, 64U, 90U}) {
    const auto t = Topology::make("torus", n, 1);
    check_graph(t);
    CHECK(t.edges() == 2 * n);
    CHECK(all_degrees_are(t, 4));
  }
  const auto t = Topology::make("torus", 12, 1);  // 3 x 4
  CHECK(std::ranges::equal(t.neighbours(0), std::vector<std::uint32_t>{1, 3, 4, 8}));
}

TEST_CASE("a regular graph exists for every possible degree of a few agents") {
  for (std::uint32_t n = 3; n <= 14; ++n)
    for (std::uint32_t r = 2; r < n; ++r) {
      if (n * r % 2 != 0) continue;
      CAPTURE(n);
      CAPTURE(r);
      for (std::uint64_t seed = 0; seed < 5; ++seed) {
        const auto t = Topology::make("regular:" + std::to_string(r), n, seed);
        check_graph(t);
        CHECK(all_degrees_are(t, r));
      }
    }
}

TEST_CASE("a large regular graph is simple, connected and regular") {
  for (const std::uint32_t r : {2U, 3U, 4U, 16U}) {
    const auto t = Topology::make("regular:" + std::to_string(r), 20'000, 7);
    check_graph(t);
    CHECK(all_degrees_are(t, r));
  }
}

TEST_CASE("every edge of a random regular graph is equally likely") {
  // Each of the 28 possible edges of 8 agents is in a 3-regular graph with probability 3/7. Over 4000 seeds
  // the count of one is binomial; a false alarm at 5.5 deviations over 28 edges has a probability of 1e-6.
  constexpr int seeds = 4000;
  std::vector<int> count(64, 0);
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const auto t = Topology::make("regular:3", 8, seed);
    for (const auto [a, b] : t.edge_list()) ++count[8 * a + b];
  }
  const double deviation = std::sqrt(seeds * (3.0 / 7) * (4.0 / 7));
  for (std::uint32_t a = 0; a < 8; ++a)
    for (std::uint32_t b = a + 1; b < 8; ++b)
      CHECK(std::abs(count[8 * a + b] - seeds * 3.0 / 7) < 5.5 * deviation);
}

TEST_CASE("a random regular graph has the gap of an expander") {
  // Friedman, 2008: lambda_2 of almost every 4-regular graph is 4 - 2 sqrt(3) - o(1) or more.
  const double limit = 4 - 2 * std::sqrt(3.0);
  CHECK(Topology::make("regular:4", 400, 3).spectral_gap() == doctest::Approx(limit).epsilon(0.15));
  CHECK(Topology::make("regular:4", 20'000, 3).spectral_gap() == doctest::Approx(limit).epsilon(0.02));
}

TEST_CASE("a small world without rewiring is the ring lattice") {
  const auto t = Topology::make("small-world:4,0", 20, 1);
  check_graph(t);
  CHECK(all_degrees_are(t, 4));
  CHECK(std::ranges::equal(t.neighbours(0), std::vector<std::uint32_t>{1, 2, 18, 19}));
}

TEST_CASE("a small world keeps its number of edges and is connected at any rewiring") {
  for (const std::string spec :
       {"small-world:2,0.5", "small-world:2,1", "small-world:4,0.1", "small-world:8,1"})
    for (const std::uint32_t n : {9U, 50U, 3000U}) {
      CAPTURE(spec);
      const auto t = Topology::make(spec, n, 5);
      check_graph(t);
      CHECK(t.edges() == n * static_cast<std::uint32_t>(spec[12] - '0') / 2);
    }
  check_graph(Topology::make("small-world:4,1", 5, 1));
}

TEST_CASE("a small world rewires the given share of its edges") {
  // Of 20,000 edges those longer than 2 on the ring are binomial(20,000, 0.1) but for a few that are rewired
  // to a near agent; 5.5 deviations on either side, and 10 for those few: a false alarm in 1e7 at most.
  const auto t = Topology::make("small-world:4,0.1", 10'000, 11);
  const auto rewired = std::ranges::count_if(t.edge_list(), [](Edge e) {
    const std::uint32_t distance = e.b - e.a;
    return std::min(distance, 10'000 - distance) > 2;
  });
  CHECK(std::abs(static_cast<double>(rewired) - 2000) < 5.5 * std::sqrt(20'000 * 0.1 * 0.9) + 10);
}

TEST_CASE("a geometric graph has the mean degree asked for, borders included") {
  // The mean degree of one graph of 1000 agents has a deviation of 0.175 (measured over 200), the average
  // over 40 graphs of 0.028; 5.4 deviations allow 0.15: a false alarm in 1e7. Linking adds less than 0.001.
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed)
    sum += 2.0 * static_cast<double>(Topology::make("geometric:12", 1000, seed).edges()) / 1000;
  CHECK(std::abs(sum / 40 - 12) < 0.15);
}

TEST_CASE("a geometric graph is connected however sparse") {
  for (const std::string spec : {"geometric:0.001", "geometric:1", "geometric:4", "geometric:8"})
    for (const std::uint32_t n : {2U, 12U, 400U, 5000U}) {
      if (n == 2 && spec != "geometric:0.001") continue;
      CAPTURE(spec);
      CAPTURE(n);
      check_graph(Topology::make(spec, n, 2));
    }
  // Hardly any pair is within the radius: what remains is the minimum spanning tree.
  CHECK(Topology::make("geometric:0.0000001", 500, 2).edges() == 499);
}

TEST_CASE("an edge file may hold comments, blank lines, repeats and either order") {
  const EdgeFile file(std::string("# a path\n0 1\n\n 2\t1 # back\r\n1 0\n1 2\n3 2\n"));
  const auto t = file.topology(4);
  check_graph(t);
  CHECK(t.edges() == 3);
  CHECK(t.name() == file.spec());
  CHECK(std::ranges::equal(t.neighbours(1), std::vector<std::uint32_t>{0, 2}));
}

TEST_CASE("an edge file that breaks a rule is refused with its line") {
  const auto error = [](const std::string& text) { return error_of(EdgeFile(text).spec(), 4); };
  CHECK(contains(error("0 1\n1 2 3\n"), ".txt:2: expected two agents"));
  CHECK(contains(error("0\n"), ".txt:1: expected two agents"));
  CHECK(contains(error("0 1\n# c\n1 x\n"), ".txt:3"));
  CHECK(contains(error("0 1.5\n"), ".txt:1"));
  CHECK(contains(error("0 4\n"), ".txt:1: agent 4 is not among 0 to 3"));
  CHECK(contains(error("0 -1\n"), "agent -1 is not among"));
  CHECK(contains(error("0 99999999999999999999\n"), ".txt:1"));
  CHECK(contains(error("0 1\n2 2\n"), ".txt:2: agent 2 cannot have an edge to itself"));
  CHECK(contains(error("0 1\n1 2\n"), "agent 3 of 4 has no edge"));
  CHECK(contains(error("0 1\n2 3\n"), "agent 2 cannot be reached from agent 0"));
  CHECK(contains(error(""), "agent 0 of 4 has no edge"));
  CHECK(contains(error_of("edges:/missing", 4), "/missing: cannot be opened"));
  CHECK(contains(error_of("edges:" + std::filesystem::temp_directory_path().string(), 4), "cannot be read"));
}

TEST_CASE("an impossible topology is refused") {
  for (const std::string spec : {"",
                                 "rings",
                                 "ring:3",
                                 "ring:",
                                 "regular",
                                 "regular:",
                                 "regular:x",
                                 "regular:1",
                                 "regular:9",
                                 "regular:-4",
                                 "regular:4,4",
                                 "regular:3",
                                 "small-world:4",
                                 "small-world:3,0.1",
                                 "small-world:10,0.1",
                                 "small-world:0,0.1",
                                 "small-world:4,2",
                                 "small-world:4,-0.1",
                                 "small-world:4,nan",
                                 "small-world:,",
                                 "geometric:0",
                                 "geometric:-1",
                                 "geometric:9",
                                 "geometric:inf",
                                 "edges",
                                 "edges:"}) {
    CAPTURE(spec);
    CHECK(error_of(spec, 9) != "");
  }
  for (const std::string spec :
       {"complete", "ring", "torus", "regular:2", "small-world:2,0", "geometric:0.5"}) {
    CAPTURE(spec);
    CHECK(error_of(spec, 1) != "");
    CHECK(error_of(spec, 0) != "");
  }
  CHECK(contains(error_of("ring", 2), "at least 3 agents"));
  CHECK(contains(error_of("torus", 7), "1 x 7"));
  CHECK(contains(error_of("torus", 7), "9 agents would do"));
  CHECK(contains(error_of("torus", 14), "2 x 7"));
  CHECK(contains(error_of("trous", 9), "did you mean 'torus'"));
  CHECK(contains(error_of("regular:900", 1'000'000), "too large"));
}

TEST_CASE("the same seed makes the same graph and another seed another") {
  for (const std::string spec : {"regular:4", "small-world:4,0.2", "geometric:8"}) {
    const auto t = Topology::make(spec, 300, 9);
    CHECK(std::ranges::equal(t.edge_list(), Topology::make(spec, 300, 9).edge_list()));
    CHECK_FALSE(std::ranges::equal(t.edge_list(), Topology::make(spec, 300, 10).edge_list()));
  }
}

TEST_CASE("known gaps: Petersen, hypercube, complete and path") {
  CHECK(EdgeFile(petersen()).topology(10).spectral_gap() == doctest::Approx(2));
  CHECK(EdgeFile(hypercube(6)).topology(64).spectral_gap() == doctest::Approx(2));
  CHECK(Topology::make("complete", 12, 1).spectral_gap() == 12);
  CHECK(Topology::make("regular:11", 12, 1).spectral_gap() == doctest::Approx(12));
  const EdgeFile path(std::string("0 1\n1 2\n2 3\n"));
  CHECK(path.topology(4).spectral_gap() == doctest::Approx(2 - std::numbers::sqrt2));
  CHECK(EdgeFile(std::string("0 1\n")).topology(2).spectral_gap() == doctest::Approx(2));
}

TEST_CASE("closed forms of ring and torus agree with the dense solver") {
  for (const std::uint32_t n : {3U, 4U, 10U, 101U}) {
    const auto t = Topology::make("ring", n, 1);
    CHECK(t.spectral_gap() == doctest::Approx(2 - 2 * std::cos(2 * std::numbers::pi / n)));
    CHECK(t.spectral_gap() == doctest::Approx(dense_gap(t)));
  }
  for (const std::uint32_t n : {9U, 12U, 15U, 100U, 96U}) {
    const auto t = Topology::make("torus", n, 1);
    CHECK(t.spectral_gap() == doctest::Approx(dense_gap(t)));
  }
}

TEST_CASE("the iterated gap is within its tolerance of the exact one") {
  constexpr double tolerance = 1e-3;
  for (const std::string spec : {"regular:3", "small-world:4,0.1", "geometric:8", "geometric:1"}) {
    CAPTURE(spec);
    const auto t = Topology::make(spec, 600, 4);  // beyond the dense limit of 500
    CHECK(t.spectral_gap() == doctest::Approx(dense_gap(t)).epsilon(tolerance));
  }
  CHECK(EdgeFile(hypercube(11)).topology(2048).spectral_gap() == doctest::Approx(2).epsilon(tolerance));
  const auto ring = Topology::make("ring", 1500, 1);
  CHECK(EdgeFile(edges_of(ring)).topology(1500).spectral_gap() ==
        doctest::Approx(ring.spectral_gap()).epsilon(tolerance));
  const auto torus = Topology::make("torus", 50 * 61, 1);
  CHECK(EdgeFile(edges_of(torus)).topology(50 * 61).spectral_gap() ==
        doctest::Approx(torus.spectral_gap()).epsilon(tolerance));
}
