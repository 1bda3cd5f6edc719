#include "machine.h"

#include "numeric/lanes.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

// The constraint for a vector register.
#if defined(__x86_64__)
#define POPSGD_VECTOR_REGISTER(value) "+v"(value)
#else
#define POPSGD_VECTOR_REGISTER(value) "+w"(value)
#endif

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

double elapsed(const std::function<void()>& work, long calls) {
  const auto start = Clock::now();
  for (long k = 0; k < calls; ++k) work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

double seconds(const std::function<void()>& work, int rounds) {
  long calls = 1;
  while (elapsed(work, calls) < 0.1) calls *= 2;
  double best = elapsed(work, calls);
  for (int round = 1; round < rounds; ++round) best = std::min(best, elapsed(work, calls));
  return best / static_cast<double>(calls);
}

double peak_flops() {
  using namespace popsgd::numeric;
  constexpr std::size_t kChains = kRegisters == 32 ? 16 : 10;  // latency 4, two a cycle: 8 suffice
  constexpr long kSteps = 100000;
  static volatile float sink;
  const auto work = [] {
    Lanes sums[kChains] = {};
    const Lanes a = broadcast(sink + 0.5F);
    const Lanes b = broadcast(sink + 0.25F);
    for (long k = 0; k < kSteps; ++k) {
#pragma GCC unroll 16
      for (std::size_t chain = 0; chain < kChains; ++chain) {
        sums[chain] = sums[chain] * a + b;
        __asm__("" : POPSGD_VECTOR_REGISTER(sums[chain]));  // or the compiler would sum the series itself
      }
    }
    Lanes total{};
#pragma GCC unroll 16
    for (std::size_t chain = 0; chain < kChains; ++chain) total += sums[chain];
    sink = 0 * sum(total);
  };
  return 2.0 * kChains * kLanes * kSteps / seconds(work);
}

double copy_bandwidth(std::size_t bytes) {
  const std::size_t half = bytes / 2;
  std::vector<char> from(half, 1);
  std::vector<char> to(half, 2);
  const auto work = [&] {
    std::memcpy(to.data(), from.data(), half);
    __asm__ volatile("" : : "r"(to.data()) : "memory");
  };
  return 2 * static_cast<double>(half) / seconds(work);
}

}  // namespace bench
