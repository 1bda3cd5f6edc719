#include "numeric/kernels.h"

#include "numeric/lanes.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace popsgd::numeric {
namespace {

// Tiles are sized so that their accumulators, one row of operands and a spare fit the register file.
constexpr std::size_t kDotA = kLanes == 1 ? 1 : 4;
constexpr std::size_t kDotB = kLanes == 1 ? 4 : kRegisters == 32 ? 6 : 2;
constexpr std::size_t kCombineRows = kLanes == 1 ? 2 : kRegisters == 32 ? 4 : 3;
constexpr std::size_t kCombineVectors = kLanes == 1 ? 2 : kRegisters == 32 ? 6 : 4;

// A tile's operands stay in a first-level cache of 48 kB up to this depth.
constexpr std::size_t kDepthBlock = 800;

// The accumulators of a tile must live in registers: every loop over them is unrolled, or the compiler
// would keep them in an array.
#define POPSGD_UNROLL _Pragma("GCC unroll 16")

// Weights of a later tile that a tile asks the second-level cache for on its way: one line of every pair, as the other
// comes along, so that the core's few slots for outstanding lines last twice as far. stride = 0: nothing new.
struct Ahead {
  const float* from;
  std::size_t stride;
};
constexpr std::size_t kPairOfLines = 2;

template <std::size_t A, std::size_t B>
void dot_tile(std::size_t depth, const float* a, std::size_t lda, const float* b, std::size_t ldb, float* c,
              std::size_t ldc, bool add, Ahead ahead) {
  constexpr std::size_t kPadded = (A * B + kLanes - 1) / kLanes * kLanes;
  Lanes products[kPadded] = {};
  const std::size_t whole = depth - depth % kLanes;
  POPSGD_WRITTEN_OUT(4) for (std::size_t k = 0; k < whole; k += kLanes) {
    if constexpr (kLanes > 1) __builtin_prefetch(ahead.from + ahead.stride * k, 0, 2);
    Lanes vb[B];
    POPSGD_UNROLL for (std::size_t j = 0; j < B; ++j) vb[j] = load(b + j * ldb + k);
    POPSGD_UNROLL for (std::size_t i = 0; i < A; ++i) {
      const Lanes va = load(a + i * lda + k);
      POPSGD_UNROLL for (std::size_t j = 0; j < B; ++j) products[i * B + j] += va * vb[j];
    }
  }
  float dots[kPadded];
  POPSGD_UNROLL for (std::size_t k = 0; k < kPadded; k += kLanes) store(dots + k, sums(products + k));
  for (std::size_t i = 0; i < A; ++i) {
    for (std::size_t j = 0; j < B; ++j) c[i * ldc + j] = (add ? c[i * ldc + j] : 0) + dots[i * B + j];
  }
  for (std::size_t k = whole; k < depth; ++k) {
    for (std::size_t i = 0; i < A; ++i) {
      for (std::size_t j = 0; j < B; ++j) c[i * ldc + j] += a[i * lda + k] * b[j * ldb + k];
    }
  }
}

// The last, narrower tile of a row of tiles: one instance a width, chosen at run time.
template <std::size_t A, std::size_t B>
void dot_tile_of(std::size_t width, std::size_t depth, const float* a, std::size_t lda, const float* b,
                 std::size_t ldb, float* c, std::size_t ldc, bool add, Ahead ahead) {
  if (width == B) return dot_tile<A, B>(depth, a, lda, b, ldb, c, ldc, add, ahead);
  if constexpr (B > 1) dot_tile_of<A, B - 1>(width, depth, a, lda, b, ldb, c, ldc, add, ahead);
}

// What combine_rows() does, as one value to pass on.
struct Combination {
  std::size_t rows;
  std::size_t terms;
  Coefficients coefficients;
  const float* in;
  std::size_t ldin;
  float keep;
  float scale;
  float* out;
  std::size_t ldout;
};

// R rows by V vectors of L from row `row` and column `column` on.
template <typename L, std::size_t R, std::size_t V>
void combine_tile(const Combination& job, std::size_t row, std::size_t column) {
  constexpr std::size_t kWidth = sizeof(L) / sizeof(float);
  const auto [data, row_stride, term_stride] = job.coefficients;
  const bool none = job.terms == 0;  // then there need be no array to point into
  const float* coefficient = none ? data : data + row * row_stride;
  const float* in = none ? job.in : job.in + column;
  // Fetched while the sums are made: a model seldom lies in the nearest cache when an agent wakes up.
  for (std::size_t r = 0; kLanes > 1 && r < R; ++r) {
    for (std::size_t v = 0; v < V; ++v)
      __builtin_prefetch(job.out + (row + r) * job.ldout + column + v * kWidth, 1);
  }
  L sums[R][V] = {};
  for (std::size_t s = 0; s < job.terms; ++s, in += job.ldin, coefficient += term_stride) {
    L values[V];
    POPSGD_UNROLL for (std::size_t v = 0; v < V; ++v) values[v] = load<L>(in + v * kWidth);
    POPSGD_UNROLL for (std::size_t r = 0; r < R; ++r) {
      const L c = broadcast<L>(coefficient[r * row_stride]);
      POPSGD_UNROLL for (std::size_t v = 0; v < V; ++v) sums[r][v] += c * values[v];
    }
  }
  const L scale = broadcast<L>(job.scale);
  const L keep = broadcast<L>(job.keep);
  POPSGD_UNROLL for (std::size_t r = 0; r < R; ++r) {
    POPSGD_UNROLL for (std::size_t v = 0; v < V; ++v) {
      float* out = job.out + (row + r) * job.ldout + column + v * kWidth;
      store<L>(out, job.keep == 0.0F ? scale * sums[r][v] : keep * load<L>(out) + scale * sums[r][v]);
    }
  }
}

// x <- x + factor * in without vectors, four at a time: all are loaded before any is stored.
void add_scaled(std::size_t count, float factor, const float* in, float* x) {
  std::size_t k = 0;
  for (; k + 4 <= count; k += 4) {
    float sums[4];
    POPSGD_UNROLL for (std::size_t j = 0; j < 4; ++j) sums[j] = x[k + j] + factor * in[k + j];
    POPSGD_UNROLL for (std::size_t j = 0; j < 4; ++j) x[k + j] = sums[j];
  }
  for (; k < count; ++k) x[k] += factor * in[k];
}

// A single term, as of a batch of one row, without vectors.
void combine_one(const Combination& job, std::size_t columns) {
  for (std::size_t row = 0; row < job.rows; ++row) {
    const float factor = job.scale * job.coefficients.data[row * job.coefficients.row_stride];
    float* out = job.out + row * job.ldout;
    if (job.keep == 1.0F)  // no weight decay
      add_scaled(columns, factor, job.in, out);
    else
      scale_add(columns, job.keep, factor, job.in, out);
  }
}

// The last, fewer than R rows of a panel: one instance a count, chosen at run time.
template <typename L, std::size_t R, std::size_t V>
void combine_last_rows(const Combination& job, std::size_t row, std::size_t column) {
  if (job.rows - row == R) return combine_tile<L, R, V>(job, row, column);
  if constexpr (R > 1) combine_last_rows<L, R - 1, V>(job, row, column);
}

// All rows of a panel of V vectors of L.
template <typename L, std::size_t V>
void combine_panel(const Combination& job, std::size_t column) {
  std::size_t row = 0;
  for (; row + kCombineRows <= job.rows; row += kCombineRows)
    combine_tile<L, kCombineRows, V>(job, row, column);
  combine_last_rows<L, kCombineRows - 1, V>(job, row, column);
}

// The columns from `column` on: fewer vectors at a time, then vectors of half the width, until none is left.
template <std::size_t Width, std::size_t V>
void combine_rest(const Combination& job, std::size_t columns, std::size_t column) {
  if (column + V * Width <= columns) {
    combine_panel<LanesN<Width>, V>(job, column);
    column += V * Width;
  }
  if constexpr (V > 1) {
    combine_rest<Width, V - 1>(job, columns, column);
  } else if constexpr (Width > 1) {
    combine_rest<Width / 2, 1>(job, columns, column);
  }
}

}  // namespace

void dot_rows(std::size_t rows_a, std::size_t rows_b, std::size_t depth, const float* a, std::size_t lda,
              const float* b, std::size_t ldb, float* c, std::size_t ldc) {
  std::size_t start = 0;
  do {
    const std::size_t block = std::min(kDepthBlock, depth - start);
    const bool add = start > 0;
    for (std::size_t j = 0; j < rows_b; j += kDotB) {
      const std::size_t width = std::min(kDotB, rows_b - j);
      const float* bj = b + j * ldb + start;
      // What the next column of tiles needs, a share for each tile of this one.
      const bool more = j + 2 * kDotB <= rows_b;
      const auto ahead = [&](std::size_t i) {
        return more ? Ahead{bj + kDotB * ldb + i * (kDotB * ldb / rows_a), kPairOfLines} : Ahead{bj, 0};
      };
      std::size_t i = 0;
      for (; i + kDotA <= rows_a; i += kDotA) {
        dot_tile_of<kDotA, kDotB>(width, block, a + i * lda + start, lda, bj, ldb, c + i * ldc + j, ldc, add,
                                  ahead(i));
      }
      for (; i < rows_a; ++i) {
        dot_tile_of<1, kDotB>(width, block, a + i * lda + start, lda, bj, ldb, c + i * ldc + j, ldc, add,
                              ahead(i));
      }
    }
    start += block;
  } while (start < depth);
}

void combine_rows(std::size_t rows, std::size_t terms, std::size_t columns, Coefficients coefficients,
                  const float* in, std::size_t ldin, float keep, float scale, float* out, std::size_t ldout) {
  const Combination job{rows, terms, coefficients, in, ldin, keep, scale, out, ldout};
  if (kScalar && terms == 1) return combine_one(job, columns);
  constexpr std::size_t kPanel = kCombineVectors * kLanes;
  std::size_t column = 0;
  for (; column + kPanel <= columns; column += kPanel) combine_panel<Lanes, kCombineVectors>(job, column);
  combine_rest<kLanes, kCombineVectors - 1>(job, columns, column);
}

void scale_add(std::size_t count, float keep, float scale, const float* x, float* y) {
  if (keep == 0.0F) {
    for (std::size_t k = 0; k < count; ++k) y[k] = scale * x[k];
  } else {
    for (std::size_t k = 0; k < count; ++k) y[k] = keep * y[k] + scale * x[k];
  }
}

void average(std::size_t count, float* __restrict a, float* __restrict b) {
  const Lanes half = broadcast(0.5F);
  std::size_t k = 0;
  for (; k + kLanes <= count; k += kLanes) {
    const Lanes mean = (load(a + k) + load(b + k)) * half;
    store(a + k, mean);
    store(b + k, mean);
  }
  for (; k < count; ++k) a[k] = b[k] = (a[k] + b[k]) * 0.5F;
}

void add_difference(std::size_t count, float weight, const float* mine, const float* theirs, float* x) {
  for (std::size_t k = 0; k < count; ++k) x[k] += weight * (theirs[k] - mine[k]);
}

double squared_distance(std::size_t count, const float* a, const float* b) {
  // Blocks short enough that float sums lose nothing that matters; between blocks, double.
  constexpr std::size_t kBlock = 64 * kLanes;
  double total = 0;
  for (std::size_t start = 0; start < count; start += kBlock) {
    const std::size_t end = std::min(count, start + kBlock);
    Lanes sums{};
    std::size_t k = start;
    for (; k + kLanes <= end; k += kLanes) {
      const Lanes gap = load(a + k) - load(b + k);
      sums += gap * gap;
    }
    float rest = 0;
    for (; k < end; ++k) rest += (a[k] - b[k]) * (a[k] - b[k]);
    total += static_cast<double>(sum(sums)) + static_cast<double>(rest);
  }
  return total;
}

bool all_within(std::size_t count, const float* x, float limit) {
  std::uint32_t outside = 0;  // no way out of the loop: it becomes vector code
  for (std::size_t k = 0; k < count; ++k) outside |= x[k] <= limit && x[k] >= -limit ? 0U : 1U;
  return outside == 0;
}

void exponential(std::size_t count, float* x) {
  // e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2; e^r = 1 + r + r^2 p(r), where p interpolates at the
  // Chebyshev nodes: relative error 1.1e-8, a fifth of a unit in the last place (the Taylor series of the same
  // degree: two units). ln 2 in two parts (Cody and Waite) keeps r exact.
  // Adding 1.5 * 2^23 leaves no room for a fraction: the sum is rounded to a whole number, which its low bits hold.
  constexpr float kRounder = 12582912.0F;
  for (std::size_t k = 0; k < count; ++k) {
    const float limited = x[k] > -87.0F ? std::min(x[k], 88.0F) : -87.0F;
    const float rounded = limited * 1.44269504F + kRounder;
    const float n = rounded - kRounder;
    const float r = (limited - n * 0.693359375F) - n * -2.12194440e-4F;
    float series = 1.39262504e-3F;
    series = series * r + 8.36323295e-3F;
    series = series * r + 4.16665524e-2F;
    series = series * r + 1.66665763e-1F;
    series = series * r + 0.5F;
    series = series * r + 1.0F;
    series = series * r + 1.0F;
    const std::uint32_t exponent =
        std::bit_cast<std::uint32_t>(rounded) - std::bit_cast<std::uint32_t>(kRounder) + 127;
    const float power = std::bit_cast<float>(exponent << 23);
    x[k] = x[k] >= -87.0F ? series * power : (x[k] < -87.0F ? 0.0F : x[k]);  // the last: NaN stays NaN
  }
}

}  // namespace popsgd::numeric
