#include <popsgd/assert.h>
#include <popsgd/quadratic.h>

namespace popsgd {

float Quadratic::add_gradient(ConstParams at, const Batch& batch, float keep, float scale,
                              Params into) const noexcept {
  const std::size_t d = parameters();
  POPSGD_ASSERT(at.size() == d && into.size() == d && batch.features.size() == batch.rows * d &&
                batch.rows > 0);
  const float share = 1.0F / static_cast<float>(batch.rows);
  float loss = 0;
  for (std::size_t k = 0; k < d; ++k) {
    float c = 0;
    for (std::size_t row = 0; row < batch.rows; ++row) c += batch.features[row * d + k];
    c *= share;
    const float x = at[k];
    loss += x * (0.5F * curvature_[k] * x - c);
    const float step = scale * (curvature_[k] * x - c);
    into[k] = keep == 0.0F ? step : keep * into[k] + step;
  }
  return loss;
}

Gradient Quadratic::gradient() const noexcept {
  const auto function = [](const void* context, ConstParams at, const Batch& batch, float keep, float scale,
                           Params into, Scratch) noexcept {
    return static_cast<const Quadratic*>(context)->add_gradient(at, batch, keep, scale, into);
  };
  return {.function = function, .context = this, .parameters = parameters(), .scratch = 0, .in_place = true};
}

}  // namespace popsgd
