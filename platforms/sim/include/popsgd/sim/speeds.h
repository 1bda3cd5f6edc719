// Agents with clocks of different speeds, and the choice of who acts next.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace popsgd::sim {

/// The rates of the memoryless clocks of agents >= 1: interactions each initiates, relative to the average
/// agent, so that their mean is 1. The set of speeds is fixed by (spec, agents); the seed decides which agent
/// has which.
///   equal      all 1
///   uniform:R  log-uniform over a range of 1 : R, 1 <= R <= 1e6, one speed in each of `agents` equal parts
///   two:R,F    a fraction F of the agents, 0 < F < 1, at least one, R times as fast as the others
/// Throws Error on an unknown name or a parameter out of range.
[[nodiscard]] std::vector<double> make_speeds(std::string_view spec, std::uint32_t agents,
                                              std::uint64_t seed);

/// Draws an index with probability proportional to its weight, in constant time: the alias method (Walker,
/// 1977; table by Vose, 1991). Every probability is exact to within 2^-32.
class AliasTable {
 public:
  /// At least one weight; all finite and >= 0, and their sum finite and > 0. Throws Error otherwise.
  explicit AliasTable(std::span<const double> weights);

  /// The index that 64 uniform bits select. Read as a fraction of 1 and multiplied by the number of columns,
  /// they give the column as the integer part and the toss between its two indices as the fractional part.
  [[nodiscard]] std::uint32_t operator()(std::uint64_t bits) const {
    const std::uint64_t size = columns_.size();
    const std::uint64_t scaled = (bits >> 32) * size + ((bits & 0xFFFF'FFFFU) * size >> 32);
    const auto index = static_cast<std::uint32_t>(scaled >> 32);
    const Column column = columns_[index];
    return static_cast<std::uint32_t>(scaled) < column.keep ? index : column.alias;
  }

 private:
  struct Column {
    std::uint32_t keep;   ///< probability of the column's own index, in 2^-32
    std::uint32_t alias;  ///< the other one
  };
  std::vector<Column> columns_;
};

}  // namespace popsgd::sim
