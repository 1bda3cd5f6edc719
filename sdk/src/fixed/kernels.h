// The integer arithmetic of a layer. Row-major matrices without gaps. Sums are exact: their results do not depend on
// the order, so neither on the compiler nor on the width of its vectors.
#pragma once

#include <cstddef>
#include <cstdint>

namespace popsgd::fixed {

/// Largest |x|; 0 for none.
template <typename T>
std::uint32_t largest(std::size_t count, const T* x) noexcept;

/// A layer's weights (outputs x inputs) and biases as the kernels take them.
template <typename Weight>
struct LayerOf {
  std::size_t inputs;
  std::size_t outputs;
  const Weight* weights;
  const Weight* biases;
};

/// z[r][j] = (dot(w[j], a[r]) + biases[j] * 2^bias_shift) * 2^-shift to nearest, saturating (counted). shift is -20 to
/// 40, bias_shift, too.
template <typename Weight, typename Activation>
void affine(std::size_t rows, const LayerOf<Weight>& layer, const Activation* a, int bias_shift, int shift,
            std::int32_t* z, std::uint64_t& saturated) noexcept;

/// below[r][i] = sum_j errors[r][j] * w[j][i]. The caller sees to it that sum_j |errors[r][j]| * max |w| < 2^31.
template <typename Weight>
void pass_back(std::size_t rows, const LayerOf<Weight>& layer, const std::int16_t* errors,
               std::int32_t* below) noexcept;

/// One random number's worth of rounding: parameter k is rounded by u_k = start + k * 2^32 / phi mod 2^32, a Weyl
/// sequence. If start is uniform, so is every u_k, and rounding is unbiased for every parameter; that
/// neighbours are not independent does not matter to a mean.
struct Dither {
  std::uint32_t start;

  static constexpr std::uint32_t kGoldenRatio = 0x9E37'79B9U;
  [[nodiscard]] constexpr std::uint32_t at(std::size_t k) const {
    return start + static_cast<std::uint32_t>(k) * kGoldenRatio;
  }
};

/// w[j][i] <- w[j][i] - sum_r steps[j][r] * a[r][i] * 2^-shift, rounded stochastically and saturating (counted);
/// shift is 1 to 30. The caller sees to it that sum_r |steps[j][r]| * max |a| < 2^30.
template <typename Weight, typename Activation>
void update_weights(std::size_t rows, std::size_t inputs, std::size_t outputs, const std::int16_t* steps,
                    const Activation* a, int shift, Dither dither, Weight* w,
                    std::uint64_t& saturated) noexcept;

/// b[j] <- b[j] - sum_r steps[j][r] * 2^-shift, likewise; any shift up to 62. At most 2^14 rows.
template <typename Weight>
void update_biases(std::size_t rows, std::size_t outputs, const std::int16_t* steps, int shift, Dither dither,
                   Weight* b, std::uint64_t& saturated) noexcept;

}  // namespace popsgd::fixed
