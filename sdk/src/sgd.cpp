#include "numeric/kernels.h"

#include <popsgd/assert.h>
#include <popsgd/sgd.h>

#include <cmath>

namespace popsgd {

Status Sgd::check() const noexcept {
  if (!std::isfinite(weight_decay) || weight_decay < 0) return Status::invalid_rate;
  if (!(momentum >= 0 && momentum < 1)) return Status::invalid_rate;
  return Status::ok;
}

std::size_t Sgd::velocity_size(const Gradient& gradient) const noexcept {
  return momentum > 0 ? gradient.parameters : 0;
}

std::size_t Sgd::scratch_size(const Gradient& gradient) const noexcept {
  const bool needs_buffer = momentum == 0 && !gradient.in_place;
  return gradient.scratch + (needs_buffer ? gradient.parameters : 0);
}

float Sgd::step(const Gradient& gradient, const Batch& batch, float eta, Params x, Params velocity,
                Scratch scratch) const noexcept {
  POPSGD_ASSERT(x.size() == gradient.parameters);
  POPSGD_ASSERT(velocity.size() == velocity_size(gradient));
  POPSGD_ASSERT(scratch.size() >= scratch_size(gradient));
  const Scratch own = scratch.first(gradient.scratch);
  if (momentum > 0) {
    const float loss = gradient(x, batch, momentum, 1, velocity, own);
    if (weight_decay > 0) numeric::scale_add(x.size(), 1, weight_decay, x.data(), velocity.data());
    numeric::scale_add(x.size(), 1, -eta, velocity.data(), x.data());
    return loss;
  }
  const float keep = 1 - eta * weight_decay;
  if (gradient.in_place) return gradient(x, batch, keep, -eta, x, own);
  const Params buffer = scratch.subspan(gradient.scratch).first(x.size());
  const float loss = gradient(x, batch, 0, 1, buffer, own);
  numeric::scale_add(x.size(), keep, -eta, buffer.data(), x.data());
  return loss;
}

}  // namespace popsgd
