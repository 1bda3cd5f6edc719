// popsgd_bench: speed against the yardstick, two threads against one, growth with n, and the distance of each to what
// the machine can do. Ratios are medians over interleaved pairs of runs, so that a machine whose speed drifts drifts
// for both.

#include "machine.h"
#include "numeric/crc32c.h"
#include "yardstick.h"

#include <popsgd/merge.h>
#include <popsgd/sim/algorithm.h>
#include <popsgd/sim/data_source.h>
#include <popsgd/sim/network.h>
#include <popsgd/sim/problem.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace {

using namespace popsgd;
using Clock = std::chrono::steady_clock;

int failures = 0;

void verdict(const char* what, double value, double target) {
  const bool pass = value >= target;
  failures += pass ? 0 : 1;
  std::printf("  %-58s %8.2f   target >= %.2f   %s\n", what, value, target, pass ? "ok" : "MISSED");
  std::fflush(stdout);
}

double timed(const std::function<void()>& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

// A workload of the simulator on a given number of threads, warm and ready to go on.
class Workload {
 public:
  Workload(const std::string& data, const std::string& model, std::uint32_t agents, std::size_t batch,
           float lr)
      : problem_(sim::DataSpec::parse(data), model, 1),
        topology_(sim::Topology::make("complete", agents, 1)),
        shards_(sim::Shards::make("shared", problem_.train(), agents, 1)) {
    settings_.agents = agents;
    settings_.batch = batch;
    settings_.schedule.eta = lr;
  }

  [[nodiscard]] const sim::Problem& problem() const { return problem_; }
  [[nodiscard]] const sim::Settings& settings() const { return settings_; }

  struct Runner {
    std::unique_ptr<sim::Workers> workers;
    std::unique_ptr<sim::Algorithm> algorithm;

    void advance(std::uint64_t interactions) const {
      algorithm->run_until(algorithm->account().interactions + interactions);
    }
  };

  [[nodiscard]] Runner on(std::size_t threads) const {
    Runner runner{std::make_unique<sim::Workers>(threads), nullptr};
    runner.algorithm =
        sim::make_algorithm("popsgd", problem_, settings_, topology_, shards_, *runner.workers);
    return runner;
  }

 private:
  sim::Problem problem_;
  sim::Settings settings_;
  sim::Topology topology_;
  sim::Shards shards_;
};

// Median over `pairs` of time(a) / time(b), a and b in turn; also the best time of b.
struct Pairing {
  double ratio;
  double best_b;
};
Pairing pair_up(int pairs, const std::function<void()>& a, const std::function<void()>& b) {
  a();
  b();
  std::vector<double> ratios;
  double best = 1e30;
  for (int k = 0; k < pairs; ++k) {
    const double ta = timed(a);
    const double tb = timed(b);
    ratios.push_back(ta / tb);
    best = std::min(best, tb);
  }
  return {median(ratios), best};
}

// What an interaction must do at least: arithmetic, and bytes moved to and from where the working set lies.
struct Need {
  double flops;
  double bytes;
  double working_set;
};

void roofline(const char* name, Need need, double seconds_each, double peak) {
  const double bandwidth = bench::copy_bandwidth(static_cast<std::size_t>(need.working_set));
  const double bound = std::max(need.flops / peak, need.bytes / bandwidth);
  std::printf(
      "  %-22s %9.3f us an interaction; bound %8.3f us by %s (%.0f GFLOP/s, %.0f GB/s); at %3.0f%% of it\n",
      name, seconds_each * 1e6, bound * 1e6,
      need.flops / peak > need.bytes / bandwidth ? "arithmetic" : "memory    ", peak * 1e-9, bandwidth * 1e-9,
      100 * bound / seconds_each);
}

Need network_need(const Workload& work) {
  const auto d = static_cast<double>(work.problem().parameters());
  const auto batch = static_cast<double>(work.settings().batch);
  const auto row = static_cast<double>(work.problem().train().features);
  // Forward and weight gradient, a multiplication and an addition for each parameter, row and agent; both models read
  // and written once; the rows read as bytes.
  return {2 * 2 * 2 * d * batch, 2 * 2 * 4 * d + 2 * batch * row, 4 * d * work.settings().agents};
}

void against_yardstick(int pairs, bool fashion) {
  std::puts("One thread against the Eigen yardstick (time of yardstick / time of popsgd, median of pairs):");
  const double peak = bench::peak_flops();
  {
    const Workload work("least-squares:d=32,samples=60000", "", 1000, 1, 0.01F);
    const auto run = work.on(1);
    yardstick::LeastSquares plain(work.problem().train(), 1000, 0.01F);
    constexpr std::uint64_t kCount = 2'000'000;
    const auto [ratio, best] = pair_up(
        pairs, [&] { plain.advance(kCount); }, [&] { run.advance(kCount); });
    verdict("least squares, d = 32, batch 1, n = 1000", ratio, 5);
    const double set = 4 * 32.0 * (1000 + 60000);
    roofline("least squares", {2 * 2 * 2 * 32, 2 * 3 * 4 * 32, set}, best / kCount, peak);
  }
  const std::string data = fashion ? "fashion-mnist" : "blobs:d=784,classes=10,samples=20000";
  const auto network = [&](const char* name, const char* model, std::uint32_t agents, std::size_t batch,
                           int hidden, double target, std::uint64_t count) {
    const Workload work(data, model, agents, batch, 0.05F);
    const auto run = work.on(1);
    yardstick::Network plain(work.problem().train(), static_cast<int>(agents), static_cast<int>(batch),
                             hidden, 0.05F);
    const auto [ratio, best] = pair_up(
        pairs, [&] { plain.advance(count); }, [&] { run.advance(count); });
    verdict(name, ratio, target);
    roofline(model, network_need(work), best / static_cast<double>(count), peak);
  };
  network("softmax 784-10, batch 8, n = 64", "softmax", 64, 8, 0, 2, 10'000);
  network("MLP 784-64-10, batch 16, n = 32", "mlp:64", 32, 16, 64, 1.5, 3'000);
}

void two_threads(int pairs, bool fashion) {
  std::puts("Two threads against one (time of one / time of two, median of pairs):");
  const std::string data = fashion ? "fashion-mnist" : "blobs:d=784,classes=10,samples=20000";
  const auto compare = [&](const char* name, const char* model, std::uint32_t agents, std::size_t batch,
                           std::uint64_t count) {
    const Workload work(data, model, agents, batch, 0.05F);
    const auto one = work.on(1);
    const auto two = work.on(2);
    verdict(name,
            pair_up(
                pairs, [&] { one.advance(count); }, [&] { two.advance(count); })
                .ratio,
            1.8);
  };
  compare("softmax 784-10, batch 8, n = 64", "softmax", 64, 8, 50'000);
  compare("MLP 784-64-10, batch 16, n = 32", "mlp:64", 32, 16, 4'000);
}

void averaging_kernel(int pairs) {
  std::puts(
      "The averaging kernel against memcpy of as many bytes (time of memcpy / time of average, median of "
      "pairs):");
  for (const std::size_t megabytes : {std::size_t{1}, std::size_t{8}, std::size_t{256}}) {
    const std::size_t floats =
        (megabytes << 20) / 8;  // two models; memcpy: from one to the other half of as much
    std::vector<float> a(floats, 1);
    std::vector<float> b(floats, 2);
    std::vector<char> from(megabytes << 20, 1);
    std::vector<char> to(megabytes << 20, 1);
    const int repeats = static_cast<int>(std::max<std::size_t>(1, 512 / megabytes));
    const auto copy = [&] {
      for (int k = 0; k < repeats; ++k) {
        std::copy(from.begin(), from.end(), to.begin());
        __asm__ volatile("" : : "r"(to.data()) : "memory");
      }
    };
    const auto average = [&] {
      for (int k = 0; k < repeats; ++k) adopt_average(a, b);
    };
    const std::string name = "two models of " + std::to_string(megabytes * 512) + " kB";
    verdict(name.c_str(), pair_up(pairs, copy, average).ratio, 0.9);
  }
}

// The ways to take a checksum, over a model of 200 kB that lies in the second-level cache.
void checksums(int pairs) {
  std::puts("CRC-32C of 200 kB against the table of 64 bytes (time of the table / time, median of pairs):");
  const std::vector<std::byte> model(200'000, std::byte{0x5A});
  constexpr int kRepeats = 20;
  std::uint32_t sum = 0;
  const auto run = [&](auto* crc) {
    return [&model, &sum, crc] {
      for (int k = 0; k < kRepeats; ++k) sum = crc(model, sum);
    };
  };
  const auto against_small = [&](const char* name, auto* crc, double target) {
    const auto [ratio, best] = pair_up(pairs, run(numeric::crc32c_small), run(crc));
    verdict(name, ratio, target);
    std::printf("  (%.0f MB/s)\n", 1e-6 * kRepeats * static_cast<double>(model.size()) / best);
  };
  against_small("slicing-by-8", numeric::crc32c_sliced, 4);
  against_small("as this machine takes it", numeric::crc32c, 4);
  __asm__ volatile("" : : "r"(sum));
}

void growth(int pairs) {
  std::puts("Growth with the number of agents, least squares d = 32:");
  const Workload small("least-squares:d=32,samples=60000", "", 1000, 1, 0.01F);
  const auto small_run = small.on(1);
  constexpr std::uint64_t kCount = 2'000'000;
  const Workload large("least-squares:d=32,samples=60000", "", 1'000'000, 1, 0.01F);
  const auto large_run = large.on(1);
  const double ratio = pair_up(
                           pairs, [&] { large_run.advance(kCount); }, [&] { small_run.advance(kCount); })
                           .ratio;
  verdict("4 / (rate at n = 1,000 / rate at n = 1,000,000)", 4 / ratio, 1);
  std::printf("  (rate falls by a factor of %.2f)\n", ratio);
}

// Frames delivered a second of the network engine's one thread; the median of `pairs` stretches each.
void network_frames(int pairs) {
  std::puts(
      "The network engine, 64 agents, d = 64, 10% loss, delay 20 ms (frames delivered a second, median):");
  const sim::Problem problem(sim::DataSpec::parse("noise:d=64,samples=10000"), "", 1);
  const auto topology = sim::Topology::make("complete", 64, 1);
  const auto shards = sim::Shards::make("shared", problem.train(), 64, 1);
  const sim::Settings settings{.agents = 64, .batch = 1};
  for (const bool checked : {false, true}) {
    const auto net = sim::make_network(problem, settings, topology, shards,
                                       {.link = {.loss = 0.1, .delay_ms = 20}, .check_invariants = checked});
    std::vector<double> rates;
    for (int k = 0; k < pairs; ++k) {
      const std::uint64_t before = net->totals().frames_delivered;
      const double seconds = timed([&] { net->run_until(net->account().interactions + 20'000); });
      rates.push_back(static_cast<double>(net->totals().frames_delivered - before) / seconds);
    }
    const double rate = median(rates);
    verdict(checked ? "invariants checked, 200,000 frames/s" : "unchecked, 200,000 frames/s", rate / 200'000,
            1);
    std::printf("  (%.0f frames/s)\n", rate);
    if (net->totals().violations == 0) continue;
    std::printf("  VIOLATED: %s\n", net->totals().first_violation.c_str());
    ++failures;
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Speed of the simulator, as ratios measured in pairs");
  int pairs = 7;
  std::string only;
  app.add_option("--pairs", pairs, "Pairs of runs a ratio")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--only", only, "yardstick, threads, average, checksums, growth or network");
  CLI11_PARSE(app, argc, argv);
  const bool fashion = sim::fashion_mnist_available();
  if (only.empty() || only == "yardstick") against_yardstick(pairs, fashion);
  if (only.empty() || only == "threads") two_threads(pairs, fashion);
  if (only.empty() || only == "average") averaging_kernel(pairs);
  if (only.empty() || only == "checksums") checksums(pairs);
  if (only.empty() || only == "growth") growth(pairs);
  if (only.empty() || only == "network") network_frames(pairs);
  std::printf("%d missed\n", failures);
  return failures == 0 ? 0 : 1;
}
