#include <popsgd/sim/dataset.h>

#include <algorithm>

namespace popsgd::sim {
namespace {

/// As many values as one loop converts: the bytes of a cache line.
constexpr std::size_t kBlock = 64;

template <class Value>
void transform_block(const Value* __restrict row, const float* __restrict scale,
                     const float* __restrict shift, std::size_t count, float* __restrict out) {
  for (std::size_t j = 0; j < count; ++j) out[j] = static_cast<float>(row[j]) * scale[j] + shift[j];
}

/// Blocks of constant length, which the compiler vectorises without a remainder; the last one overlaps the one before
/// it and writes the same values again.
template <class Value>
void transform(const Value* row, const float* scale, const float* shift, std::size_t features, float* out) {
  if (features < kBlock) return transform_block(row, scale, shift, features, out);
  for (std::size_t j = 0; j < features; j += kBlock) {
    const std::size_t k = std::min(j, features - kBlock);
    transform_block(row + k, scale + k, shift + k, kBlock, out + k);
  }
}

template <class Value>
void prefetch(const Value* row, std::size_t features) {
  constexpr std::size_t kLine = 64 / sizeof(Value);
  for (std::size_t j = 0; j < features; j += kLine) __builtin_prefetch(row + j);
}

/// Random rows of a large set arrive late: all are asked for before the first is needed.
template <class Value>
void transform_rows(const Value* values, const Dataset& data, std::span<const std::uint32_t> index,
                    float* out) {
  for (const std::size_t row : index) prefetch(values + row * data.features, data.features);
  for (const std::size_t row : index) {
    transform(values + row * data.features, data.scale.data(), data.shift.data(), data.features, out);
    out += data.features;
  }
}

std::size_t size_in_bytes(const auto& values) {
  return values.size() * sizeof(values[0]);
}

}  // namespace

void Dataset::gather(std::span<const std::uint32_t> index, float* out) const {
  if (bytes.empty()) {
    transform_rows(floats.data(), *this, index, out);
  } else {
    transform_rows(bytes.data(), *this, index, out);
  }
}

bool Dataset::plain() const {
  return bytes.empty() && std::ranges::all_of(scale, [](float s) { return s == 1.0F; }) &&
         std::ranges::all_of(shift, [](float s) { return s == 0.0F; });
}

std::size_t Dataset::memory() const {
  return size_in_bytes(bytes) + size_in_bytes(floats) + size_in_bytes(labels) + size_in_bytes(targets);
}

}  // namespace popsgd::sim
