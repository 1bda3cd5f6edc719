#include "fixed/narrow.h"

#include "fixed/arithmetic.h"

#include <algorithm>
#include <bit>

namespace popsgd::fixed {
namespace {

std::uint64_t magnitude(std::int32_t x) {
  return x < 0 ? 0U - static_cast<std::uint32_t>(x) : static_cast<std::uint32_t>(x);
}

// How large errors are: the largest magnitude, and the largest sum of `count` magnitudes `stride` apart, over `groups`.
struct Sizes {
  std::uint64_t largest = 0;
  std::uint64_t sum = 0;
};

Sizes sizes(std::size_t groups, std::size_t group_stride, std::size_t count, std::size_t stride,
            const std::int32_t* errors) {
  Sizes sizes;
  for (std::size_t g = 0; g < groups; ++g) {
    std::uint64_t sum = 0;
    for (std::size_t k = 0; k < count; ++k) {
      const std::uint64_t size = magnitude(errors[g * group_stride + k * stride]);
      sizes.largest = std::max(sizes.largest, size);
      sum += size;
    }
    sizes.sum = std::max(sizes.sum, sum);
  }
  return sizes;
}

// Smallest n >= least for which x * 2^-n + slack <= most.
int places_to_drop(std::uint64_t x, int least, std::uint64_t slack, std::uint64_t most) {
  // With more bits than there are in `most` it is larger.
  int n = std::max(least, static_cast<int>(std::bit_width(x)) - static_cast<int>(std::bit_width(most)));
  while ((x >> n) + slack > most) ++n;
  return n;
}

constexpr std::uint64_t kMostNarrow = kMost<std::int16_t>;

}  // namespace

int narrow_errors(std::size_t rows, std::size_t outputs, const std::int32_t* errors, std::uint32_t most,
                  std::int16_t* into) noexcept {
  const Sizes size = sizes(rows, outputs, outputs, 1, errors);
  const int n = places_to_drop(size.sum, places_to_drop(size.largest, 0, 1, kMostNarrow), outputs, most);
  for (std::size_t k = 0; k < rows * outputs; ++k) {
    into[k] = static_cast<std::int16_t>(shift_right(errors[k], n));
  }
  return n;
}

int narrow_steps(std::size_t rows, std::size_t outputs, const std::int32_t* errors, std::uint32_t mantissa,
                 int least, std::uint32_t most, std::int16_t* into) noexcept {
  const Sizes size = sizes(outputs, 1, rows, outputs, errors);
  // Sums of 2^31 * 2^13 rows times 17 bits of the mantissa, rounded up: 2^61 at most.
  constexpr int kCoarse = 15;
  const std::uint64_t sum = size.sum * ((mantissa >> kCoarse) + 1);
  const int n = std::max({least, places_to_drop(size.largest * mantissa, 0, 1, kMostNarrow),
                          places_to_drop(sum, 0, rows, most) + kCoarse});
  for (std::size_t j = 0; j < outputs; ++j) {
    for (std::size_t row = 0; row < rows; ++row) {
      const std::int64_t exact = std::int64_t{errors[row * outputs + j]} * mantissa;  // below 2^62
      into[j * rows + row] = n > 62 ? std::int16_t{0} : static_cast<std::int16_t>(shift_right(exact, n));
    }
  }
  return n;
}

}  // namespace popsgd::fixed
