#include "fixed/kernels.h"

#include "fixed/arithmetic.h"
#include "numeric/dsp.h"
#include "numeric/lanes.h"

#include <popsgd/parts.h>

#include <algorithm>
#include <bit>
#include <limits>

namespace popsgd::fixed {
namespace {

// Dot products of kTile rows of w with one of a, side by side, so that a vector of a is loaded once for all and none
// waits for the other's sum. Summed over `depth`, which must be short enough for 32 bits.
constexpr std::size_t kTile = numeric::kSmall ? 1 : 4;
template <typename Weight, typename Activation>
void dot_tile(std::size_t depth, const Weight* w, std::size_t stride, const Activation* a,
              std::int64_t* sums) {
  const Weight* w0 = w;
  const Weight* w1 = w + stride;
  const Weight* w2 = w + 2 * stride;
  const Weight* w3 = w + 3 * stride;
  std::int32_t s0 = 0;
  std::int32_t s1 = 0;
  std::int32_t s2 = 0;
  std::int32_t s3 = 0;
  std::size_t k = 0;
  if constexpr (numeric::kPairs && sizeof(Weight) == 2 && sizeof(Activation) == 2) {
    POPSGD_WRITTEN_OUT(4) for (; k + 2 <= depth; k += 2) {
      const numeric::Pair pair = numeric::pair_at(a + k);
      s0 = numeric::add_products(numeric::pair_at(w0 + k), pair, s0);
      s1 = numeric::add_products(numeric::pair_at(w1 + k), pair, s1);
      s2 = numeric::add_products(numeric::pair_at(w2 + k), pair, s2);
      s3 = numeric::add_products(numeric::pair_at(w3 + k), pair, s3);
    }
  }
  for (; k < depth; ++k) {
    s0 += w0[k] * a[k];
    s1 += w1[k] * a[k];
    s2 += w2[k] * a[k];
    s3 += w3[k] * a[k];
  }
  sums[0] += s0;
  sums[1] += s1;
  sums[2] += s2;
  sums[3] += s3;
}

template <typename Weight, typename Activation>
void dot(std::size_t depth, const Weight* w, const Activation* a, std::int64_t* sum) {
  std::int32_t s = 0;
  std::size_t k = 0;
  if constexpr (numeric::kPairs && sizeof(Weight) == 2 && sizeof(Activation) == 2) {
    POPSGD_WRITTEN_OUT(4)
    for (; k + 2 <= depth; k += 2)
      s = numeric::add_products(numeric::pair_at(w + k), numeric::pair_at(a + k), s);
  }
  POPSGD_WRITTEN_OUT(4) for (; k < depth; ++k) s += w[k] * a[k];
  *sum += s;
}

// A power of two that no |x| is beyond.
template <typename T>
std::uint32_t bound(std::size_t count, const T* x) {
  std::int32_t bits = 0;
  POPSGD_WRITTEN_OUT(4) for (std::size_t k = 0; k < count; ++k) bits |= x[k] ^ (x[k] >> 15);
  return std::uint32_t{1} << std::bit_width(static_cast<std::uint32_t>(bits));
}

// How many products of |w| <= most_w and |a| <= most_a a sum of 32 bits surely holds: at least one, as even the
// largest is 2^30.
std::size_t safe_depth(std::uint32_t most_w, std::uint32_t most_a) {
  constexpr std::uint32_t kRoom = std::numeric_limits<std::int32_t>::max();
  return kRoom / std::max<std::uint32_t>(most_w * most_a, 1U);
}

// Sums of one column of tiles' width, block after block in 32 bits, the blocks' sums in 64.
template <typename Weight, typename Activation>
void dots(std::size_t block, const LayerOf<Weight>& layer, std::size_t j, std::size_t width,
          const Activation* a, std::int64_t* sums) {
  for (std::size_t start = 0; start < layer.inputs; start += block) {
    const std::size_t depth = std::min(block, layer.inputs - start);
    const Weight* w = layer.weights + j * layer.inputs + start;
    bool tile = false;
    if constexpr (kTile > 1) tile = width == kTile;
    if (tile) {
      dot_tile(depth, w, layer.inputs, a + start, sums);
    } else {
      for (std::size_t k = 0; k < width; ++k) dot(depth, w + k * layer.inputs, a + start, sums + k);
    }
  }
}

// Columns of a weight matrix that are updated together: their sums stay in the nearest cache, or on a small stack.
constexpr std::size_t kPanel = numeric::kLanes == 1 ? 64 : 256;

// sums[i] += sum_t c[t] * a[t][i] over Terms rows of a.
template <std::size_t Terms, typename Activation>
void add_rows(std::size_t columns, const std::int16_t* c, const Activation* a, std::size_t stride,
              std::int32_t* __restrict sums) {
  for (std::size_t i = 0; i < columns; ++i) {
    std::int32_t sum = sums[i];
    for (std::size_t t = 0; t < Terms; ++t) sum += c[t] * a[t * stride + i];
    sums[i] = sum;
  }
}

// sums[i] = sum_t c[t] * a[t][i].
template <typename Activation>
void combine_rows(std::size_t terms, std::size_t columns, const std::int16_t* c, const Activation* a,
                  std::size_t stride, std::int32_t* sums) {
  std::fill(sums, sums + columns, 0);
  std::size_t t = 0;
  for (; !numeric::kSmall && t + 8 <= terms; t += 8)
    add_rows<8>(columns, c + t, a + t * stride, stride, sums);
  for (; t < terms; ++t) add_rows<1>(columns, c + t, a + t * stride, stride, sums);
}

// w <- w - sums * 2^-shift. |sums| < 2^30 and the dither below it: 32 bits are enough.
template <typename Weight>
void subtract(std::size_t count, const std::int32_t* __restrict sums, int shift, Dither dither,
              Weight* __restrict w, std::uint64_t& saturated) {
  std::uint32_t cut = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto fraction = static_cast<std::int32_t>(dither.at(i) >> (32 - shift));
    const std::int32_t exact = w[i] - ((sums[i] + fraction) >> shift);
    const std::int32_t kept = std::clamp(exact, kLeast<Weight>, kMost<Weight>);
    cut += exact != kept ? 1U : 0U;
    w[i] = static_cast<Weight>(kept);
  }
  saturated += cut;
}

// w <- w - step * a * 2^-shift: both of these for a single row.
template <typename Weight, typename Activation>
void subtract_row(std::size_t count, std::int32_t step, const Activation* __restrict a, int shift,
                  Dither dither, Weight* __restrict w, std::uint64_t& saturated) {
  std::uint32_t cut = 0;
  POPSGD_WRITTEN_OUT(8) for (std::size_t i = 0; i < count; ++i) {
    const auto fraction = static_cast<std::int32_t>(dither.at(i) >> (32 - shift));
    const std::int32_t exact = w[i] - ((step * a[i] + fraction) >> shift);
    const std::int32_t kept = numeric::saturated<8 * sizeof(Weight)>(exact);
    cut += exact != kept ? 1U : 0U;
    w[i] = static_cast<Weight>(kept);
  }
  saturated += cut;
}

}  // namespace

template <typename T>
std::uint32_t largest(std::size_t count, const T* x) noexcept {
  std::int32_t most = 0;
  std::int32_t least = 0;
  POPSGD_WRITTEN_OUT(4) for (std::size_t k = 0; k < count; ++k) {
    most = std::max<std::int32_t>(most, x[k]);
    least = std::min<std::int32_t>(least, x[k]);
  }
  return std::max(static_cast<std::uint32_t>(most), 0U - static_cast<std::uint32_t>(least));
}

template <typename Weight, typename Activation>
void affine(std::size_t rows, const LayerOf<Weight>& layer, const Activation* a, int bias_shift, int shift,
            std::int32_t* z, std::uint64_t& saturated) noexcept {
  std::size_t block = safe_depth(kMost<Weight> + 1U, bound(rows * layer.inputs, a));
  if (block < layer.inputs) {  // seldom
    block = safe_depth(largest(layer.inputs * layer.outputs, layer.weights), largest(rows * layer.inputs, a));
  }
  for (std::size_t j = 0; j < layer.outputs; j += kTile) {
    const std::size_t width = std::min(kTile, layer.outputs - j);
    std::int64_t biases[kTile] = {};
    for (std::size_t k = 0; k < width; ++k) biases[k] = shift_left(layer.biases[j + k], bias_shift);
    for (std::size_t row = 0; row < rows; ++row) {
      // 2^30 * 2^31 inputs and a bias of 2^55 at most: below 2^62.
      std::int64_t sums[kTile];
      std::copy(biases, biases + kTile, sums);
      dots(block, layer, j, width, a + row * layer.inputs, sums);
      for (std::size_t k = 0; k < width; ++k) {
        z[row * layer.outputs + j + k] = rescale<std::int32_t>(sums[k], shift, saturated);
      }
    }
  }
}

template <typename Weight>
void pass_back(std::size_t rows, const LayerOf<Weight>& layer, const std::int16_t* errors,
               std::int32_t* below) noexcept {
  for (std::size_t row = 0; row < rows; ++row) {
    combine_rows(layer.outputs, layer.inputs, errors + row * layer.outputs, layer.weights, layer.inputs,
                 below + row * layer.inputs);
  }
}

template <typename Weight, typename Activation>
void update_weights(std::size_t rows, std::size_t inputs, std::size_t outputs, const std::int16_t* steps,
                    const Activation* a, int shift, Dither dither, Weight* w,
                    std::uint64_t& saturated) noexcept {
  if (!has(Part::networks) || rows == 1) {
    for (std::size_t j = 0; j < outputs; ++j) {
      const std::size_t place = j * inputs;
      subtract_row(inputs, steps[j], a, shift, {dither.at(place)}, w + place, saturated);
    }
    return;
  }
  std::int32_t sums[kPanel];
  for (std::size_t column = 0; column < inputs; column += kPanel) {
    const std::size_t count = std::min(kPanel, inputs - column);
    for (std::size_t j = 0; j < outputs; ++j) {
      const std::size_t place = j * inputs + column;
      combine_rows(rows, count, steps + j * rows, a + column, inputs, sums);
      subtract(count, sums, shift, {dither.at(place)}, w + place, saturated);
    }
  }
}

template <typename Weight>
void update_biases(std::size_t rows, std::size_t outputs, const std::int16_t* steps, int shift, Dither dither,
                   Weight* b, std::uint64_t& saturated) noexcept {
  for (std::size_t j = 0; j < outputs; ++j) {
    std::int64_t sum = 0;  // 2^15 * 2^14 at most
    for (std::size_t row = 0; row < rows; ++row) sum += steps[j * rows + row];
    const std::uint64_t uniform = std::uint64_t{dither.at(j)} << 32;
    const std::int64_t change = shift > 0
                                    ? (sum + static_cast<std::int64_t>(uniform >> (64 - shift))) >> shift
                                    : sum * (std::int64_t{1} << std::min(-shift, 30));
    b[j] = saturate<Weight>(b[j] - change, saturated);
  }
}

// What the networks are made of.
template std::uint32_t largest(std::size_t, const std::int8_t*) noexcept;
template std::uint32_t largest(std::size_t, const std::int16_t*) noexcept;

template void affine(std::size_t, const LayerOf<std::int16_t>&, const std::int16_t*, int, int, std::int32_t*,
                     std::uint64_t&) noexcept;
template void affine(std::size_t, const LayerOf<std::int8_t>&, const std::int16_t*, int, int, std::int32_t*,
                     std::uint64_t&) noexcept;
template void affine(std::size_t, const LayerOf<std::int8_t>&, const std::int8_t*, int, int, std::int32_t*,
                     std::uint64_t&) noexcept;

template void pass_back(std::size_t, const LayerOf<std::int8_t>&, const std::int16_t*,
                        std::int32_t*) noexcept;
template void pass_back(std::size_t, const LayerOf<std::int16_t>&, const std::int16_t*,
                        std::int32_t*) noexcept;

template void update_weights(std::size_t, std::size_t, std::size_t, const std::int16_t*, const std::int16_t*,
                             int, Dither, std::int16_t*, std::uint64_t&) noexcept;
template void update_weights(std::size_t, std::size_t, std::size_t, const std::int16_t*, const std::int16_t*,
                             int, Dither, std::int8_t*, std::uint64_t&) noexcept;
template void update_weights(std::size_t, std::size_t, std::size_t, const std::int16_t*, const std::int8_t*,
                             int, Dither, std::int8_t*, std::uint64_t&) noexcept;

template void update_biases(std::size_t, std::size_t, const std::int16_t*, int, Dither, std::int8_t*,
                            std::uint64_t&) noexcept;
template void update_biases(std::size_t, std::size_t, const std::int16_t*, int, Dither, std::int16_t*,
                            std::uint64_t&) noexcept;

}  // namespace popsgd::fixed
