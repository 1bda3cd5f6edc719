#include "conflict_queue.h"
#include "pairs.h"
#include "statistics.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Purpose;
using popsgd::Random;
using popsgd::sim::ConflictQueue;
using popsgd::sim::Edge;
using popsgd::sim::Pair;
using popsgd::sim::PairSequence;
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

// What the queue may hand out, by the header's words: no interaction before it that shares an agent is still open.
std::vector<bool> ready_by_definition(std::span<const Pair> chunk, const std::vector<bool>& taken,
                                      const std::vector<bool>& ended) {
  std::vector<bool> ready(chunk.size());
  std::set<std::uint32_t> met;
  for (std::size_t k = 0; k < chunk.size(); ++k) {
    if (ended[k]) continue;
    const auto [initiator, responder] = chunk[k];
    ready[k] = !taken[k] && !met.contains(initiator) && !met.contains(responder);
    met.insert({initiator, responder});
  }
  return ready;
}

// Workers come at random times, for more or, if they would have to wait for another, only to say that they are done.
void run_chunk(ConflictQueue& queue, std::span<const Pair> chunk, std::size_t workers, std::size_t most,
               Random random) {
  std::vector<bool> taken(chunk.size());
  std::vector<bool> ended(chunk.size());
  std::vector<std::vector<std::uint32_t>> has(workers);
  queue.start(chunk);
  std::size_t left = chunk.size();
  while (left > 0) {
    const std::size_t worker = random.bits() % workers;
    for (const std::uint32_t k : has[worker]) ended[k] = true;
    const std::vector<bool> ready = ready_by_definition(chunk, taken, ended);
    const auto choices = static_cast<std::size_t>(std::ranges::count(ready, true));
    const auto given = queue.take(worker, choices == 0 ? 0 : most);
    REQUIRE((given.empty() == (choices == 0) && given.size() <= most && given.size() <= choices));
    for (const std::uint32_t k : given) {
      REQUIRE((k < chunk.size() && ready[k] && !taken[k]));
      taken[k] = true;
    }
    has[worker].assign(given.begin(), given.end());
    left -= given.size();
  }
  for (std::size_t worker = 0; worker < workers; ++worker) REQUIRE(queue.take(worker, most).empty());
}

TEST_CASE("the queue hands out each interaction once, when those before it have ended, over chunks") {
  for (const std::uint32_t agents : {2U, 3U, 10U, 100U, 1000U}) {
    const Topology topology = Topology::make("complete", agents, kSeed);
    for (const std::size_t workers : {1U, 2U, 5U}) {
      for (const std::size_t remembered : {0U, 3U, 16U}) {
        CAPTURE(agents);
        CAPTURE(workers);
        CAPTURE(remembered);
        CAPTURE(kSeed);
        ConflictQueue queue(agents, workers, remembered);
        std::uint64_t done = 0;
        for (const std::size_t size : {100UL, 1UL, 200UL, 37UL}) {
          const std::size_t most = 1 + size % 3;
          run_chunk(queue, pairs_of(topology, done, size), workers, most,
                    Random(kSeed, Purpose::user, static_cast<std::uint32_t>(done)));
          done += size;
        }
      }
    }
  }
}

TEST_CASE("a worker prefers the agents it has just had, both before one") {
  const std::vector<Pair> chunk{{0, 1}, {2, 3}, {4, 0}, {1, 0}, {5, 6}};
  ConflictQueue queue(7, 1, 4);
  queue.start(chunk);
  std::vector<std::uint32_t> order;
  for (auto taken = queue.take(0, 1); !taken.empty(); taken = queue.take(0, 1)) order.push_back(taken[0]);
  // (4, 0) after (0, 1), then (1, 0), before (2, 3) which is the longest ready.
  CHECK(order == std::vector<std::uint32_t>{0, 2, 3, 1, 4});

  ConflictQueue indifferent(7, 1, 0);
  indifferent.start(chunk);
  order.clear();
  for (auto taken = indifferent.take(0, 1); !taken.empty(); taken = indifferent.take(0, 1))
    order.push_back(taken[0]);
  CHECK(order == std::vector<std::uint32_t>{0, 1, 4, 2, 3});
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
