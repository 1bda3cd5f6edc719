#include "fused_quadratic.h"

#include "blocks.h"
#include "sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace popsgd::sim {
namespace {

constexpr std::size_t kTile = 256;

// How many interactions ahead memory is asked for: a random row of a large table takes as long to arrive as
// about ten interactions take.
constexpr std::size_t kAhead = 12;

constexpr std::size_t kLine = 16;

struct Rows {
  float* xi;
  float* xj;
  const float* ci;
  const float* cj;
};

void prefetch(const Rows& rows, std::size_t d) {
  for (std::size_t k = 0; k < d; k += kLine) {
    __builtin_prefetch(rows.xi + k, 1);
    __builtin_prefetch(rows.xj + k, 1);
    __builtin_prefetch(rows.ci + k, 0);
    __builtin_prefetch(rows.cj + k, 0);
  }
}

// What an interaction multiplies with: keep = (1 - eta (a + lambda)) / 2 for each coordinate, gain = eta / 2.
struct Factors {
  const float* keep;
  float gain;
};

// Coordinates [0, Width) of both models. `probe` collects 0 * x: it stays 0 as long as all is finite. None of the
// arrays overlap: an agent does not meet itself, and samples are not models.
template <std::size_t Width>
inline void interact(float* __restrict xi, float* __restrict xj, const float* __restrict ci,
                     const float* __restrict cj, const float* __restrict keep, float gain,
                     float* __restrict probe) {
  for (std::size_t k = 0; k < Width; ++k) {
    const float x = keep[k] * (xi[k] + xj[k]) + gain * (ci[k] + cj[k]);
    probe[k] += 0 * x;
    xi[k] = x;
    xj[k] = x;
  }
}

void interact(const Rows& rows, std::size_t d, const Factors& factors, float* probe) {
  const auto [keep, gain] = factors;
  std::size_t k = 0;
  for (; k + kLine <= d; k += kLine) {
    interact<kLine>(rows.xi + k, rows.xj + k, rows.ci + k, rows.cj + k, keep + k, gain, probe);
  }
  for (; k < d; ++k) interact<1>(rows.xi + k, rows.xj + k, rows.ci + k, rows.cj + k, keep + k, gain, probe);
}

}  // namespace

bool interact_fused(const FusedQuadratic& job, std::span<const Pair> pairs) {
  const std::size_t d = job.problem.parameters();
  const float* table = job.problem.train().floats.data();
  const auto samples = static_cast<std::uint32_t>(job.problem.train().rows);
  std::vector<float> keep(d);
  for (std::size_t k = 0; k < d; ++k) {
    keep[k] = 0.5F * (1 - job.eta * (job.problem.quadratic()->curvature()[k] + job.weight_decay));
  }
  const float gain = 0.5F * job.eta;
  alignas(64) std::array<float, kLine> probe{};

  std::array<std::uint32_t, kTile> words0;
  std::array<std::uint32_t, kTile> words1;
  std::array<Rows, kTile> rows;
  for (std::size_t start = 0; start < pairs.size(); start += kTile) {
    const std::size_t count = std::min(kTile, pairs.size() - start);
    fill_blocks(job.samples, job.first + start, std::uint64_t{1} << Sampler::kSampleBits,
                std::span(words0).first(count), std::span(words1).first(count));
    for (std::size_t k = 0; k < count; ++k) {
      const Pair pair = pairs[start + k];
      rows[k] = {job.swarm[pair.initiator].data(), job.swarm[pair.responder].data(),
                 table + below(words0[k], samples) * d, table + below(words1[k], samples) * d};
      if (k < kAhead) prefetch(rows[k], d);
    }
    for (std::size_t k = 0; k < count; ++k) {
      if (k + kAhead < count) prefetch(rows[k + kAhead], d);
      interact(rows[k], d, {keep.data(), gain}, probe.data());
    }
  }
  return std::all_of(probe.begin(), probe.end(), [](float value) { return value == 0; });
}

}  // namespace popsgd::sim
