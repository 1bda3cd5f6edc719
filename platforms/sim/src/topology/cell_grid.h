// Who is near whom among points of the unit square, in time proportional to points and pairs.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace popsgd::sim {

/// Coordinates in [0, 1).
struct Point {
  double x;
  double y;
};

/// The unit square as it is, or with opposite sides joined.
enum class Surface : std::uint8_t { square, torus };

[[nodiscard]] inline double squared_distance(Point p, Point q, Surface surface) {
  double x = std::fabs(p.x - q.x);
  double y = std::fabs(p.y - q.y);
  if (surface == Surface::torus) {
    x = std::min(x, 1 - x);
    y = std::min(y, 1 - y);
  }
  return x * x + y * y;
}

/// The points sorted into square cells at least `radius` > 0 wide, so that whoever is within it of a point is
/// in the same cell or one of the eight around.
class CellGrid {
 public:
  CellGrid(std::span<const Point> points, double radius, Surface surface)
      : surface_(surface),
        radius_(radius),
        side_(cells_across(points.size(), radius)),
        first_(side_ * side_ + 1, 0) {
    for (const Point p : points) ++first_[cell_of(p) + 1];
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
    members_.resize(points.size());
    std::vector<std::size_t> next(first_.begin(), first_.end() - 1);
    for (std::uint32_t i = 0; i < points.size(); ++i) members_[next[cell_of(points[i])]++] = {points[i], i};
  }

  /// visit(i, j, squared distance) for every pair i < j within the radius.
  template <typename Visit>
  void for_each_pair(Visit visit) const {
    for (const Member& member : members_) {
      const Range columns = around(along(member.point.x));
      const Range rows = around(along(member.point.y));
      for (std::size_t y = 0; y < rows.count; ++y)
        for (std::size_t x = 0; x < columns.count; ++x)
          visit_cell(member, rows.cells[y] * side_ + columns.cells[x], visit);
    }
  }

 private:
  struct Member {
    Point point;
    std::uint32_t id;
  };
  struct Range {
    std::array<std::size_t, 3> cells;
    std::size_t count;
  };

  /// No more cells than points: the links of sparse graphs are sought at radii far below the spacing.
  static std::size_t cells_across(std::size_t points, double radius) {
    const double widest = std::min(1 / radius, std::sqrt(static_cast<double>(points)));
    return std::max<std::size_t>(1, static_cast<std::size_t>(widest));
  }
  [[nodiscard]] std::size_t along(double coordinate) const {
    return std::min(side_ - 1, static_cast<std::size_t>(coordinate * static_cast<double>(side_)));
  }
  [[nodiscard]] std::size_t cell_of(Point p) const { return along(p.y) * side_ + along(p.x); }

  /// The cell and those beside it, each once.
  [[nodiscard]] Range around(std::size_t cell) const {
    Range range{};
    const bool wraps = surface_ == Surface::torus && side_ >= 3;
    const bool before = wraps || cell > 0;
    const bool after = wraps || cell + 1 < side_;
    if (before) range.cells[range.count++] = (cell + side_ - 1) % side_;
    range.cells[range.count++] = cell;
    if (after) range.cells[range.count++] = (cell + 1) % side_;
    return range;
  }

  template <typename Visit>
  void visit_cell(const Member& member, std::size_t cell, Visit& visit) const {
    for (std::size_t m = first_[cell]; m < first_[cell + 1]; ++m) {
      const Member& other = members_[m];
      const double d2 = squared_distance(member.point, other.point, surface_);
      if (member.id < other.id && d2 <= radius_ * radius_) visit(member.id, other.id, d2);
    }
  }

  Surface surface_;
  double radius_;
  std::size_t side_;
  std::vector<std::size_t> first_;
  std::vector<Member> members_;  ///< cell by cell
};

}  // namespace popsgd::sim
