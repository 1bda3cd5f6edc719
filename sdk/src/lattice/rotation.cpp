#include <popsgd/lattice/rotation.h>
#include <popsgd/random.h>

#include <algorithm>
#include <bit>

namespace popsgd::lattice {
namespace {

constexpr std::size_t kLongest = 1024;
constexpr int kScaleBack = 10;  // 32 * 32
constexpr std::int32_t kMostGap = 1 << 20;

// Integers are rotated modulo 2^32: a sum that overflows on the way and comes back is right.
using Word = std::uint32_t;

// H x by radix 4, for n a power of 4.
template <typename T>
void hadamard(std::size_t n, T* x) {
  for (std::size_t quarter = 1; quarter < n; quarter *= 4) {
    for (T* block = x; block < x + n; block += 4 * quarter) {
      T* __restrict p = block;
      for (std::size_t k = 0; k < quarter; ++k) {
        const T sum0 = p[k] + p[quarter + k];
        const T sum1 = p[2 * quarter + k] + p[3 * quarter + k];
        const T gap0 = p[k] - p[quarter + k];
        const T gap1 = p[2 * quarter + k] - p[3 * quarter + k];
        p[k] = sum0 + sum1;
        p[quarter + k] = gap0 + gap1;
        p[2 * quarter + k] = sum0 - sum1;
        p[3 * quarter + k] = gap0 - gap1;
      }
    }
  }
}

// x <- 32 U x.
template <typename T>
void hadamard_blocks(std::size_t count, T* x) {
  std::size_t length = kLongest;
  unsigned scale = 1;  // 32 / sqrt(length)
  for (std::size_t k = 0; k < count; k += length) {
    for (; length > count - k; length /= 4) scale *= 2;
    hadamard(length, x + k);
    for (std::size_t j = 0; j < length; ++j) x[k + j] *= static_cast<T>(scale);
  }
}

float flipped(float x, std::uint32_t sign) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) ^ sign << 31);
}

Word flipped(Word x, std::uint32_t sign) {
  return (x ^ (0U - sign)) + sign;
}

template <typename T>
void flip(std::size_t count, T* x, Signs signs) {
  const Threefry stream{signs.offset, 0x7369676EU};
  for (std::size_t k = 0; k < count; k += 64) {
    const auto words = stream.block(static_cast<std::uint32_t>(k / 64), signs.slice);
    for (std::size_t half = k; half < std::min(k + 64, count); half += 32) {
      const std::uint32_t bits = words[(half - k) / 32];
      const std::size_t length = std::min<std::size_t>(32, count - half);
      for (std::size_t j = 0; j < length; ++j) x[half + j] = flipped(x[half + j], bits >> j & 1U);
    }
  }
}

// Signed and unsigned integers of one size may be read as each other.
Word* words_of(Points points) {
  return reinterpret_cast<Word*>(points.data());
}

}  // namespace

void rotate(Params y, Signs signs) noexcept {
  flip(y.size(), y.data(), signs);
  hadamard_blocks(y.size(), y.data());
}

void rotate(Points y, Signs signs) noexcept {
  flip(y.size(), words_of(y), signs);
  hadamard_blocks(y.size(), words_of(y));
}

Gap rotate_back(Gap rotated, Signs signs) noexcept {
  for (std::int32_t& value : rotated.values) value = std::clamp(value, -kMostGap, kMostGap);
  hadamard_blocks(rotated.values.size(), words_of(rotated.values));
  flip(rotated.values.size(), words_of(rotated.values), signs);
  return {rotated.values, rotated.exponent - kScaleBack};
}

}  // namespace popsgd::lattice
