// Components of a growing graph: union-find.
#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace popsgd::sim {

/// The vertices 0 .. n - 1 in disjoint sets, at first each in its own: union by size with path halving
/// (Tarjan and van Leeuwen, Worst-case Analysis of Set Union Algorithms, 1984).
class DisjointSets {
 public:
  explicit DisjointSets(std::uint32_t n) : parent_(n), size_(n, 1), count_(n) {
    std::iota(parent_.begin(), parent_.end(), 0U);
  }

  /// The set of `v`, named by one of its members.
  [[nodiscard]] std::uint32_t find(std::uint32_t v) {
    while (parent_[v] != v) v = parent_[v] = parent_[parent_[v]];
    return v;
  }

  /// Merges the sets of `a` and `b`; false when they were one already.
  bool unite(std::uint32_t a, std::uint32_t b) {
    a = find(a);
    b = find(b);
    if (a == b) return false;
    if (size_[a] < size_[b]) std::swap(a, b);
    parent_[b] = a;
    size_[a] += size_[b];
    --count_;
    return true;
  }

  /// Number of sets.
  [[nodiscard]] std::uint32_t count() const { return count_; }

 private:
  std::vector<std::uint32_t> parent_;
  std::vector<std::uint32_t> size_;
  std::uint32_t count_;
};

}  // namespace popsgd::sim
