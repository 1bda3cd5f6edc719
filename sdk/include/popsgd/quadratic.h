// Least squares with a fixed diagonal design: the strongly convex problem whose every moment is known.
#pragma once

#include <popsgd/gradient.h>

#include <cstddef>
#include <span>

namespace popsgd {

/// f(x; c) = 1/2 sum_k a_k x_k^2 - c.x, with the sample c = D^T y of the measurements y = D x* + noise,
/// D = diag(sqrt(a)). It is least squares 1/2 |D x - y|^2 up to a constant: gradient a x - c, curvature
/// a, optimum x*_k = E c_k / a_k, gradient noise the noise of c. a = 0 with E c = 0 is pure noise.
///
/// A Batch carries one c per row in `features`. `curvature` stays the caller's and must outlive the object.
class Quadratic {
 public:
  Quadratic() = default;
  explicit Quadratic(std::span<const float> curvature) noexcept : curvature_(curvature) {}

  [[nodiscard]] std::size_t parameters() const noexcept { return curvature_.size(); }
  [[nodiscard]] std::span<const float> curvature() const noexcept { return curvature_; }

  /// See Gradient; needs no scratch. Returns the batch's mean of f.
  float add_gradient(ConstParams at, const Batch& batch, float keep, float scale, Params into) const noexcept;

  /// This problem as a callback; refers to this object.
  [[nodiscard]] Gradient gradient() const noexcept;

 private:
  std::span<const float> curvature_{};
};

}  // namespace popsgd
