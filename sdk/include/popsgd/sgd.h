// One local step of stochastic gradient descent.
#pragma once

#include <popsgd/gradient.h>
#include <popsgd/status.h>

#include <cstddef>

namespace popsgd {

/// SGD with weight decay lambda and heavy-ball momentum mu:
///
///     v <- mu v + grad f(x) + lambda x,     x <- x - eta v
///
/// which for mu = 0 is x <- (1 - eta lambda) x - eta grad f(x).
struct Sgd {
  float weight_decay = 0;  ///< lambda; finite, >= 0
  float momentum = 0;      ///< mu; 0 <= mu < 1

  [[nodiscard]] Status check() const noexcept;

  /// Floats of velocity a model needs: `parameters` with momentum, otherwise none.
  [[nodiscard]] std::size_t velocity_size(const Gradient& gradient) const noexcept;

  /// Floats of scratch step() needs: the gradient's own, and `parameters` more for a gradient that can
  /// neither work in place nor add to a velocity.
  [[nodiscard]] std::size_t scratch_size(const Gradient& gradient) const noexcept;

  /// One step of size eta on `x` with the gradient of `batch`; returns the batch's mean loss before the step.
  /// `velocity` and `scratch` must have the sizes stated above (asserted).
  float step(const Gradient& gradient, const Batch& batch, float eta, Params x, Params velocity,
             Scratch scratch) const noexcept;
};

}  // namespace popsgd
