// A data set in memory: rows of features with a class or a target vector each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <vector>

namespace popsgd::sim {

/// Memory that begins at a pair of cache lines: rows of a whole number of lines then never straddle one more.
template <typename T>
struct LineAllocator {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{128};

  LineAllocator() = default;
  template <typename U>
  LineAllocator(const LineAllocator<U>&) noexcept {
  }  // NOLINT(google-explicit-constructor): as the standard asks

  T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kAlignment)); }
  void deallocate(T* memory, std::size_t) noexcept { ::operator delete(memory, kAlignment); }
  friend bool operator==(LineAllocator, LineAllocator) { return true; }
};
using Values = std::vector<float, LineAllocator<float>>;

/// Rows of `features` values each. Feature values are kept either as the bytes they were read as
/// (images: a quarter of the memory) or as floats; the value a model sees is
/// value * scale[column] + shift[column] in both cases, so standardisation never rewrites the rows.
///
/// Exactly one of `bytes` and `floats` is filled (rows x features, row-major). A row has a class in
/// `labels` when classes > 0 (0 <= label < classes), else `outputs` values in `targets` (rows x outputs).
/// Both may be absent (classes == 0, outputs == 0): rows of pure noise or of measurements.
struct Dataset {
  std::size_t rows = 0;
  std::size_t features = 0;
  std::size_t classes = 0;
  std::size_t outputs = 0;
  std::vector<std::uint8_t> bytes;
  Values floats;
  std::vector<std::uint32_t> labels;
  std::vector<float> targets;
  std::vector<float> scale;  ///< `features` values, 1 by default
  std::vector<float> shift;  ///< `features` values, 0 by default

  /// Copies the transformed features of the rows named by `index` to `out` (index.size() x features).
  void gather(std::span<const std::uint32_t> index, float* out) const;

  /// True when rows can be handed out where they lie: floats with the identity transform.
  [[nodiscard]] bool plain() const;

  /// Memory of the rows, in bytes.
  [[nodiscard]] std::size_t memory() const;
};

/// What is learned from and what is only ever evaluated on.
struct Split {
  Dataset train;
  Dataset test;
};

}  // namespace popsgd::sim
