// A model as an agent holds it: its parameters, of which kind they are, and how they are laid out.
#pragma once

#include <popsgd/fixed.h>
#include <popsgd/gradient.h>
#include <popsgd/numeric.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd {

/// A view of the caller's memory. The layout says where tensors begin, and in which unit an integer model's are; it is
/// one of those things that all agents of a swarm must agree on, but for the units. Without one a float model is a
/// single tensor. Of a float model's layout only the lengths count.
class Model {
 public:
  Model() = default;
  explicit Model(Params values, std::span<const Tensor> layout = {})
      : Model(Numeric::float32, values.data(), values.size(), layout) {}
  Model(std::span<std::int16_t> values, std::span<const Tensor> layout)
      : Model(Numeric::int16, values.data(), values.size(), layout) {}
  Model(std::span<std::int8_t> values, std::span<const Tensor> layout)
      : Model(Numeric::int8, values.data(), values.size(), layout) {}

  [[nodiscard]] Numeric numeric() const {
    return is(Numeric::int16) ? Numeric::int16 : is(Numeric::int8) ? Numeric::int8 : Numeric::float32;
  }
  [[nodiscard]] bool integer() const { return !is(Numeric::float32); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<const Tensor> layout() const { return layout_; }

  /// The parameters, of a model of that kind.
  [[nodiscard]] Params floats() const { return {static_cast<float*>(values_), size_}; }
  [[nodiscard]] std::span<std::int16_t> int16s() const {
    return {static_cast<std::int16_t*>(values_), size_};
  }
  [[nodiscard]] std::span<std::int8_t> int8s() const { return {static_cast<std::int8_t*>(values_), size_}; }

  /// All of them, as they lie in memory.
  [[nodiscard]] std::span<std::byte> bytes() const {
    return {static_cast<std::byte*>(values_), size_ * width(numeric_)};
  }
  /// Bytes of a parameter.
  [[nodiscard]] static constexpr std::size_t width(Numeric numeric) {
    return numeric == Numeric::float32 ? 4 : numeric == Numeric::int16 ? 2 : 1;
  }

  /// A model of the same kind and layout in other memory, of as many bytes, aligned as its parameters are.
  [[nodiscard]] Model in(std::span<std::byte> memory) const {
    return {numeric_, memory.data(), size_, layout_};
  }

  /// Calls use() with the parameters as what they are.
  template <typename Use>
  decltype(auto) visit(Use use) const {
    if constexpr (held(Numeric::int16))
      if (is(Numeric::int16)) return use(int16s());
    if constexpr (held(Numeric::int8))
      if (is(Numeric::int8)) return use(int8s());
    if constexpr (held(Numeric::float32)) return use(floats());
    __builtin_unreachable();
  }

  /// Whether the layout is as long as the model, of tensors that are not empty and units of 2^-31 to 2^31. An integer
  /// model needs one.
  [[nodiscard]] bool sound() const {
    std::uint64_t length = 0;
    for (const Tensor& tensor : layout_) {
      if (tensor.length == 0 || tensor.fraction < -kMostFraction || tensor.fraction > kMostFraction)
        return false;
      length += tensor.length;
    }
    return layout_.empty() ? !integer() : length == size_;
  }

  static constexpr int kMostFraction = 31;

 private:
  /// Known to the compiler where all models are, or none is.
  [[nodiscard]] bool is(Numeric numeric) const {
    const bool others = (held(Numeric::float32) && numeric != Numeric::float32) ||
                        (held(Numeric::int16) && numeric != Numeric::int16) ||
                        (held(Numeric::int8) && numeric != Numeric::int8);
    return held(numeric) && (!others || numeric_ == numeric);
  }

  Model(Numeric numeric, void* values, std::size_t size, std::span<const Tensor> layout)
      : values_(values), size_(size), layout_(layout), numeric_(numeric) {}

  void* values_ = nullptr;
  std::size_t size_ = 0;
  std::span<const Tensor> layout_{};
  Numeric numeric_ = Numeric::float32;
};

}  // namespace popsgd
