#include <popsgd/sim/dataset.h>

#include <algorithm>

namespace popsgd::sim {
namespace {

/// One row, so that the compiler sees a single loop over four arrays that do not overlap and vectorises it.
template <class Value>
void transform(const Value* __restrict row, const float* __restrict scale, const float* __restrict shift,
               std::size_t features, float* __restrict out) {
  for (std::size_t j = 0; j < features; ++j) out[j] = static_cast<float>(row[j]) * scale[j] + shift[j];
}

template <class Value>
void transform_rows(const std::vector<Value>& values, const Dataset& data,
                    std::span<const std::uint32_t> index, float* out) {
  for (const std::size_t row : index) {
    transform(values.data() + row * data.features, data.scale.data(), data.shift.data(), data.features, out);
    out += data.features;
  }
}

template <class Value>
std::size_t size_in_bytes(const std::vector<Value>& values) {
  return values.size() * sizeof(Value);
}

}  // namespace

void Dataset::gather(std::span<const std::uint32_t> index, float* out) const {
  if (bytes.empty()) {
    transform_rows(floats, *this, index, out);
  } else {
    transform_rows(bytes, *this, index, out);
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
