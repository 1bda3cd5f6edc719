// The arithmetic everything else is made of. Row-major matrices; ld* is a matrix's row length in floats.
#pragma once

#include <cstddef>

namespace popsgd::numeric {

/// c[i][j] = dot(a[i], b[j]) over `depth`, for i < rows_a, j < rows_b. A layer's forward pass:
/// a = activations, b = weights. c must not overlap a or b.
void dot_rows(std::size_t rows_a, std::size_t rows_b, std::size_t depth, const float* a, std::size_t lda,
              const float* b, std::size_t ldb, float* c, std::size_t ldc);

/// Coefficients by index: at(row, term) = data[row * row_stride + term * term_stride].
struct Coefficients {
  const float* data;
  std::size_t row_stride;
  std::size_t term_stride;
};

/// out[r] = keep * out[r] + scale * sum_s coefficient(r, s) * in[s], for r < rows, s < terms: rows of `out` are
/// linear combinations of rows of `in`. A layer's weight gradient (rows = outputs, terms = batch) and the
/// errors it passes back (rows = batch, terms = outputs) are both of this form. out must not overlap in.
/// With keep = 0 the old contents of out are not read, so they may be anything.
void combine_rows(std::size_t rows, std::size_t terms, std::size_t columns, Coefficients coefficients,
                  const float* in, std::size_t ldin, float keep, float scale, float* out, std::size_t ldout);

/// y <- keep * y + scale * x; x may be y. With keep = 0 the old contents of y are not read.
void scale_add(std::size_t count, float keep, float scale, const float* x, float* y);

/// a, b <- (a + b) / 2.
void average(std::size_t count, float* a, float* b);

/// x <- x + weight * (theirs - mine).
void add_difference(std::size_t count, float weight, const float* mine, const float* theirs, float* x);

/// sum (a - b)^2.
double squared_distance(std::size_t count, const float* a, const float* b);

/// Whether |x| <= limit everywhere; a NaN is not.
bool all_within(std::size_t count, const float* x, float limit);

/// x <- e^x for x <= 88, to 2 units in the last place; below -87 it gives 0. The same bits on every target
/// that fuses multiplications and additions in the same way: no libm.
void exponential(std::size_t count, float* x);

}  // namespace popsgd::numeric
