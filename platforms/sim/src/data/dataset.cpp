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

/// Random rows of a large set arrive late: all of them are asked for before the first is needed.
template <class Value>
void prefetch_rows(const std::vector<Value>& values, std::size_t features, std::span<const std::uint32_t> index) {
  constexpr std::size_t kLine = 64 / sizeof(Value);
  for (const std::size_t row : index) {
    const Value* first = values.data() + row * features;
    for (std::size_t j = 0; j < features; j += kLine) __builtin_prefetch(first + j);
  }
}

template <class Value>
void transform_rows(const std::vector<Value>& values, const Dataset& data,
                    std::span<const std::uint32_t> index, float* out) {
  prefetch_rows(values, data.features, index);
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
