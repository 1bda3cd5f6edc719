#include "pairs.h"

#include "blocks.h"

#include <algorithm>
#include <array>

namespace popsgd::sim {
namespace {

constexpr std::size_t kDraws = 256;

// Calls use(k, fraction) for k < count with the 64-bit draws of blocks first, first + 1, ...
template <typename Use>
void for_each_draw(Threefry random, std::uint64_t first, std::size_t count, Use use) {
  std::array<std::uint32_t, kDraws> high;
  std::array<std::uint32_t, kDraws> low;
  for (std::size_t start = 0; start < count; start += kDraws) {
    const std::size_t chunk = std::min(kDraws, count - start);
    fill_blocks(random, first + start, 1, std::span(high).first(chunk), std::span(low).first(chunk));
    for (std::size_t k = 0; k < chunk; ++k) use(start + k, std::uint64_t{high[k]} << 32 | low[k]);
  }
}

}  // namespace

PairSequence::PairSequence(const Topology& topology, std::span<const double> speeds, std::uint64_t seed)
    : topology_(topology),
      random_(Random::key(seed, Purpose::pairs, 0)),
      partners_(Random::key(seed, Purpose::pairs, 1)) {
  if (!speeds.empty()) initiators_.emplace(speeds);
}

void PairSequence::fill(std::uint64_t first, std::span<Pair> out) const {
  if (initiators_) return clocks(first, out);
  if (topology_.complete()) return complete(first, out);
  edges(first, out);
}

void PairSequence::complete(std::uint64_t first, std::span<Pair> out) const {
  const std::uint32_t n = topology_.agents();
  for_each_draw(random_, first, out.size(), [&](std::size_t k, std::uint64_t fraction) {
    const std::uint32_t i = take_below(fraction, n);
    const std::uint32_t j = take_below(fraction, n - 1);
    out[k] = {i, j + (j >= i ? 1U : 0U)};
  });
}

void PairSequence::edges(std::uint64_t first, std::span<Pair> out) const {
  const auto list = topology_.edge_list();
  for_each_draw(random_, first, out.size(), [&](std::size_t k, std::uint64_t fraction) {
    const Edge edge = list[take_below(fraction, static_cast<std::uint32_t>(list.size()))];
    const bool swapped = fraction >> 63 != 0;
    out[k] = swapped ? Pair{edge.b, edge.a} : Pair{edge.a, edge.b};
  });
}

void PairSequence::clocks(std::uint64_t first, std::span<Pair> out) const {
  for_each_draw(random_, first, out.size(),
                [&](std::size_t k, std::uint64_t draw) { out[k].initiator = (*initiators_)(draw); });
  for_each_draw(partners_, first, out.size(), [&](std::size_t k, std::uint64_t fraction) {
    const std::uint32_t i = out[k].initiator;
    if (topology_.complete()) {
      const std::uint32_t j = take_below(fraction, topology_.agents() - 1);
      out[k].responder = j + (j >= i ? 1U : 0U);
    } else {
      const auto neighbours = topology_.neighbours(i);
      out[k].responder = neighbours[take_below(fraction, static_cast<std::uint32_t>(neighbours.size()))];
    }
  });
}

}  // namespace popsgd::sim
