// The sequence of interactions: who meets whom.
#pragma once

#include <popsgd/random.h>
#include <popsgd/sim/speeds.h>
#include <popsgd/sim/topology.h>

#include <cstdint>
#include <optional>
#include <span>

namespace popsgd::sim {

struct Pair {
  std::uint32_t initiator;
  std::uint32_t responder;
};

/// The population model's scheduler. Agents of equal speed: every edge of the graph is equally likely at
/// every interaction. Agents with memoryless clocks of different speeds: the initiator is drawn in
/// proportion to its speed, then one of its neighbours uniformly. Pair t is a pure function of (seed, t).
class PairSequence {
 public:
  /// `speeds` empty: all equal. The topology must outlive this object.
  PairSequence(const Topology& topology, std::span<const double> speeds, std::uint64_t seed);

  /// Pairs first, first + 1, ... into `out`.
  void fill(std::uint64_t first, std::span<Pair> out) const;

 private:
  void complete(std::uint64_t first, std::span<Pair> out) const;
  void edges(std::uint64_t first, std::span<Pair> out) const;
  void clocks(std::uint64_t first, std::span<Pair> out) const;

  const Topology& topology_;
  std::optional<AliasTable> initiators_;
  Threefry random_;
  Threefry partners_;
};

}  // namespace popsgd::sim
