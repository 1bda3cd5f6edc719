#include "conflicts.h"

#include "pairs.h"
#include "statistics.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::sim::ConflictSchedule;
using popsgd::sim::Edge;
using popsgd::sim::Pair;
using popsgd::sim::PairSequence;
using popsgd::sim::Task;
using popsgd::sim::Topology;
using popsgd::test::chi_square_deviate;
using popsgd::test::kFiveSigma;

constexpr std::uint64_t kSeed = 7;

std::vector<Pair> pairs_of(const Topology& topology, std::uint64_t first, std::size_t count,
                           std::span<const double> speeds = {}) {
  std::vector<Pair> pairs(count);
  PairSequence(topology, speeds, kSeed).fill(first, pairs);
  return pairs;
}

// The header's words, taken literally: each interaction in the first row with room after its two
// predecessors.
std::vector<std::vector<std::uint32_t>> rows_by_definition(std::span<const Pair> chunk, std::size_t width) {
  std::vector<std::vector<std::uint32_t>> rows;
  for (std::uint32_t k = 0; k < chunk.size(); ++k) {
    std::size_t first = 0;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      for (const std::uint32_t other : rows[row]) {
        const auto meets = [&](std::uint32_t agent) {
          return chunk[other].initiator == agent || chunk[other].responder == agent;
        };
        if (meets(chunk[k].initiator) || meets(chunk[k].responder)) first = row + 1;
      }
    }
    while (first < rows.size() && rows[first].size() == width) ++first;
    if (first >= rows.size()) rows.resize(first + 1);
    rows[first].push_back(k);
  }
  return rows;
}

TEST_CASE("an order of conflicts keeps every agent's own order, over chunks, for any width") {
  for (const std::uint32_t agents : {2U, 3U, 10U, 100U, 3000U}) {
    const Topology topology = Topology::make("complete", agents, kSeed);
    for (const std::uint32_t width : {1U, 2U, 5U, 64U}) {
      CAPTURE(agents);
      CAPTURE(width);
      ConflictSchedule schedule(agents);
      std::vector<std::uint32_t> ended(agents);  // interactions of each agent so far
      std::uint64_t done = 0;
      for (const std::size_t size : {100UL, 1UL, 1024UL, 37UL}) {
        const auto chunk = pairs_of(topology, done, size);
        const auto tasks = schedule.order(chunk, width);
        REQUIRE(tasks.size() == size);
        std::vector<bool> seen(size);
        std::vector<std::int64_t> last(agents, -1);
        for (const Task& task : tasks) {
          const auto [i, j] = task.pair;
          REQUIRE((task.offset < size && !seen[task.offset]));
          seen[task.offset] = true;
          REQUIRE((chunk[task.offset].initiator == i && chunk[task.offset].responder == j));
          REQUIRE((last[i] < task.offset && last[j] < task.offset));
          last[i] = last[j] = task.offset;
          REQUIRE(task.initiator_turn == ended[i]++);
          REQUIRE(task.responder_turn == ended[j]++);
        }
        done += size;
      }
    }
  }
}

TEST_CASE("rows hold at most `width` interactions without a common agent, each as early as it may be") {
  for (const std::uint32_t agents : {4U, 30U, 500U}) {
    const Topology topology = Topology::make("complete", agents, kSeed);
    for (const std::uint32_t width : {1U, 3U, 8U}) {
      CAPTURE(agents);
      CAPTURE(width);
      const auto chunk = pairs_of(topology, 0, 300);
      ConflictSchedule schedule(agents);
      const auto tasks = schedule.order(chunk, width);
      std::size_t place = 0;
      for (const auto& row : rows_by_definition(chunk, width)) {
        REQUIRE(row.size() <= width);
        std::vector<std::uint32_t> met;
        for (const std::uint32_t offset : row) {
          REQUIRE(tasks[place].offset == offset);
          met.push_back(tasks[place].pair.initiator);
          met.push_back(tasks[place].pair.responder);
          ++place;
        }
        std::sort(met.begin(), met.end());
        REQUIRE(std::adjacent_find(met.begin(), met.end()) == met.end());
      }
      CHECK(place == tasks.size());
    }
  }
}

TEST_CASE("pair t is the same however the sequence is cut") {
  const std::vector<double> speeds{0.5, 0.5, 2, 1, 1, 1, 1, 0.5, 1.5};
  for (const std::string spec : {"complete", "ring", "regular:4"}) {
    const Topology topology = Topology::make(spec, 9, kSeed);
    for (const bool equal : {true, false}) {
      const PairSequence sequence(topology, equal ? std::span<const double>{} : speeds, kSeed);
      for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{1} << 33}) {
        std::vector<Pair> whole(1500);
        sequence.fill(first, whole);
        std::vector<Pair> cut(whole.size());
        for (std::size_t start = 0, length = 1; start < cut.size();
             start += length, length = 3 * length + 1) {
          sequence.fill(first + start, std::span(cut).subspan(start, std::min(length, cut.size() - start)));
        }
        const bool same = std::equal(whole.begin(), whole.end(), cut.begin(), [](Pair a, Pair b) {
          return a.initiator == b.initiator && a.responder == b.responder;
        });
        CAPTURE(spec);
        CAPTURE(equal);
        CHECK(same);
      }
    }
  }
}

TEST_CASE("nobody meets itself, and on a graph only neighbours meet") {
  const std::vector<double> speeds{0.5, 0.5, 2, 1, 1, 1, 1, 0.5, 1.5};
  for (const std::string spec : {"complete", "ring", "torus", "small-world:4,0.3"}) {
    const Topology topology = Topology::make(spec, 9, kSeed);
    for (const auto& clocks : {std::span<const double>{}, std::span(speeds)}) {
      for (const Pair pair : pairs_of(topology, 0, 5000, clocks)) {
        REQUIRE((pair.initiator < 9 && pair.responder < 9 && pair.initiator != pair.responder));
        if (topology.complete()) continue;
        const auto near = topology.neighbours(pair.initiator);
        REQUIRE(std::binary_search(near.begin(), near.end(), pair.responder));
      }
    }
  }
}

// Pearson's deviate of 200,000 pairs in cells (initiator, responder) of the given probabilities; 0:
// impossible.
double deviate(const std::vector<Pair>& pairs, std::uint32_t agents, const std::vector<double>& probability) {
  std::vector<std::uint64_t> counts(std::size_t{agents} * agents);
  for (const Pair pair : pairs) ++counts[pair.initiator * agents + pair.responder];
  std::vector<std::uint64_t> possible;
  std::vector<double> expected;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (probability[k] == 0) {
      REQUIRE(counts[k] == 0);
      continue;
    }
    possible.push_back(counts[k]);
    expected.push_back(probability[k]);
  }
  return chi_square_deviate(possible, expected);
}

TEST_CASE("on the complete graph all ordered pairs are equally likely (false alarms: 3e-7)") {
  constexpr std::uint32_t kAgents = 6;
  const Topology topology = Topology::make("complete", kAgents, kSeed);
  std::vector<double> probability(kAgents * kAgents, 1.0 / (kAgents * (kAgents - 1)));
  for (std::uint32_t i = 0; i < kAgents; ++i) probability[i * kAgents + i] = 0;
  CAPTURE(kSeed);
  CHECK(deviate(pairs_of(topology, 0, 200'000), kAgents, probability) < kFiveSigma);
}

TEST_CASE("on a graph all edges are equally likely, either end first (false alarms: 3e-7 a graph)") {
  constexpr std::uint32_t kAgents = 12;
  for (const std::string spec : {"ring", "torus", "regular:5", "small-world:4,0.5"}) {
    const Topology topology = Topology::make(spec, kAgents, kSeed);
    std::vector<double> probability(kAgents * kAgents);
    for (const Edge edge : topology.edge_list()) {
      probability[edge.a * kAgents + edge.b] = probability[edge.b * kAgents + edge.a] =
          0.5 / static_cast<double>(topology.edges());
    }
    CAPTURE(kSeed);
    CAPTURE(spec);
    CHECK(deviate(pairs_of(topology, 0, 200'000), kAgents, probability) < kFiveSigma);
  }
}

TEST_CASE("agents initiate in proportion to their speeds and choose uniformly (false alarms: 3e-7 a graph)") {
  const std::vector<double> speeds{0.25, 0.5, 0.75, 1.0, 1.5, 2.0};
  constexpr std::uint32_t kAgents = 6;
  for (const std::string spec : {"complete", "ring", "small-world:2,0.5"}) {
    const Topology topology = Topology::make(spec, kAgents, kSeed);
    std::vector<double> probability(kAgents * kAgents);
    for (std::uint32_t i = 0; i < kAgents; ++i) {
      std::vector<std::uint32_t> others(kAgents);
      std::iota(others.begin(), others.end(), 0U);
      std::erase(others, i);
      if (!topology.complete()) others.assign(topology.neighbours(i).begin(), topology.neighbours(i).end());
      for (const std::uint32_t j : others) {
        probability[i * kAgents + j] = speeds[i] / kAgents / static_cast<double>(others.size());
      }
    }
    CAPTURE(kSeed);
    CAPTURE(spec);
    CHECK(deviate(pairs_of(topology, 0, 200'000, speeds), kAgents, probability) < kFiveSigma);
  }
}

TEST_CASE("other seeds give other pairs") {
  const Topology topology = Topology::make("complete", 100, kSeed);
  std::vector<Pair> a(100);
  std::vector<Pair> b(100);
  PairSequence(topology, {}, 1).fill(0, a);
  PairSequence(topology, {}, 2).fill(0, b);
  std::size_t same = 0;
  for (std::size_t k = 0; k < a.size(); ++k) same += a[k].initiator == b[k].initiator ? 1 : 0;
  CHECK(same < 20);  // 1 expected
}

}  // namespace
