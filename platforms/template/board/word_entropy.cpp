#include "board/word_entropy.h"

#include <algorithm>

namespace popsgd::board {

Status WordEntropy::fill(std::span<std::byte> into) noexcept {
  while (!into.empty()) {
    const std::optional<std::uint32_t> word = word_();
    if (!word) return Status::no_entropy;
    const auto bytes = std::as_bytes(std::span(&*word, 1));
    const std::size_t count = std::min(into.size(), bytes.size());
    std::ranges::copy(bytes.first(count), into.begin());
    into = into.subspan(count);
  }
  return Status::ok;
}

}  // namespace popsgd::board
