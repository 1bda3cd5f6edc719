// The one thing a model is to the SDK: a stochastic gradient over a flat vector of parameters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd {

/// A model's parameters, flat, in the caller's memory. Nothing here owns memory.
using Params = std::span<float>;
using ConstParams = std::span<const float>;

/// Memory for intermediate values, the caller's; its contents mean nothing between calls.
using Scratch = std::span<float>;

/// The samples of one stochastic gradient; views into the caller's memory.
struct Batch {
  std::size_t rows = 0;
  std::span<const float> features{};        ///< rows x inputs, row-major
  std::span<const std::uint32_t> labels{};  ///< rows class numbers (classification), or empty
  std::span<const float> targets{};         ///< rows x outputs (regression), or empty
};

/// A stochastic gradient as a callback: a function and its context. Built-in models make theirs with
/// gradient(); a user's own model sits in the same place.
///
/// The function computes
///     into <- keep * into + scale * grad f(at; batch)
/// where grad f is the mean gradient over the batch's rows, and returns the mean loss at `at` (a value
/// that is not finite tells the caller that the run has diverged). With keep = 0 it writes a gradient,
/// with keep = mu it adds to a momentum, and with into = at, keep = 1 - eta * lambda and scale = -eta
/// it *is* the SGD step, which then needs no memory for a gradient at all.
struct Gradient {
  using Function = float (*)(const void* context, ConstParams at, const Batch& batch, float keep, float scale,
                             Params into, Scratch scratch) noexcept;

  Function function = nullptr;
  const void* context = nullptr;  ///< handed to `function`; must outlive every use of this object
  std::size_t parameters = 0;     ///< length of `at` and `into`
  std::size_t scratch = 0;        ///< floats of scratch for the largest batch that will be used
  bool in_place = false;          ///< `into` may be `at` itself

  float operator()(ConstParams at, const Batch& batch, float keep, float scale, Params into,
                   Scratch memory) const noexcept {
    return function(context, at, batch, keep, scale, into, memory);
  }
};

}  // namespace popsgd
