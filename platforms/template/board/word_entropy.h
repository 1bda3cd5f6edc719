// Random bytes from a generator in hardware, a word at a time.
#pragma once

#include <popsgd/entropy.h>

#include <cstdint>
#include <optional>

namespace popsgd::board {

class WordEntropy final : public Entropy {
 public:
  /// PORT: the next word of the generator, after waiting until it is ready; nothing if its own health test has failed.
  /// A part without a generator must not use its serial number or an uninitialised counter instead: feed noise of an ADC
  /// through a hash, or store a seed at production and a new one, derived from it, at every start.
  using Word = std::optional<std::uint32_t> (*)() noexcept;
  explicit constexpr WordEntropy(Word word) noexcept : word_(word) {}

  [[nodiscard]] Status fill(std::span<std::byte> into) noexcept override;

 private:
  Word word_;
};

}  // namespace popsgd::board
