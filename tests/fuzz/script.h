// A fuzzer's input as a script: numbers of a byte, and stretches of bytes behind their lengths. At its end all is 0.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::test {

class Script {
 public:
  explicit Script(std::span<const std::byte> bytes) : left_(bytes) {}

  [[nodiscard]] bool ended() const { return left_.empty(); }

  std::uint8_t next() {
    if (left_.empty()) return 0;
    const auto value = std::to_integer<std::uint8_t>(left_[0]);
    left_ = left_.subspan(1);
    return value;
  }

  /// As many as the next number says, in units.
  std::span<const std::byte> bytes(std::size_t unit) {
    const std::size_t length = std::min<std::size_t>(unit * next(), left_.size());
    const auto taken = left_.first(length);
    left_ = left_.subspan(length);
    return taken;
  }

 private:
  std::span<const std::byte> left_;
};

}  // namespace popsgd::test
