// Numbers as they are.
#pragma once

#include "quantised/exchange.h"
#include "quantised/snapshot.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace popsgd::sim {

/// Two float models adopt their average. Integers move by half of their gap in the coarser of both units, rounded by
/// coins in opposite ways, so that the sum of both is conserved; the gap of one kind is exact, and that of two kinds a
/// dithered one.
class RawExchange final : public Exchange {
 public:
  RawExchange(std::size_t parameters, bool frames);

  Toll meet(LearningAgent& initiator, LearningAgent& responder, std::uint32_t name) override;

 private:
  [[nodiscard]] std::uint64_t bytes(const Model& a, const Model& b) const;

  bool frames_;
  Snapshot initiators_;
  Snapshot responders_;
  std::vector<std::int32_t> points_;
};

/// How the pair rounds tensor `k`, from parameter `offset` on: to the coarser of both units. Not for two floats.
[[nodiscard]] lattice::Rounding rounding_of(const Model& a, const Model& b, std::size_t k, std::uint32_t name,
                                            std::size_t offset);

}  // namespace popsgd::sim
