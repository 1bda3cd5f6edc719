#include "digits.h"

namespace firmware {
namespace {

// A row of pixels a byte, the leftmost the highest bit.
constexpr std::array<std::array<std::uint8_t, 8>, Digits::kClasses> kShapes{{
    {0x3C, 0x66, 0x66, 0x6E, 0x76, 0x66, 0x66, 0x3C},
    {0x18, 0x38, 0x18, 0x18, 0x18, 0x18, 0x18, 0x3C},
    {0x3C, 0x66, 0x06, 0x0C, 0x18, 0x30, 0x60, 0x7E},
    {0x3C, 0x66, 0x06, 0x1C, 0x06, 0x06, 0x66, 0x3C},
    {0x0C, 0x1C, 0x3C, 0x6C, 0x6C, 0x7E, 0x0C, 0x0C},
    {0x7E, 0x60, 0x60, 0x7C, 0x06, 0x06, 0x66, 0x3C},
    {0x1C, 0x30, 0x60, 0x7C, 0x66, 0x66, 0x66, 0x3C},
    {0x7E, 0x06, 0x0C, 0x0C, 0x18, 0x18, 0x30, 0x30},
    {0x3C, 0x66, 0x66, 0x3C, 0x66, 0x66, 0x66, 0x3C},
    {0x3C, 0x66, 0x66, 0x66, 0x3E, 0x06, 0x0C, 0x38},
}};

// n / 3 for |n| < 2^14, by a multiplication: not every processor divides.
constexpr std::int32_t third(std::int32_t n) {
  return (n * 21846 >> 16) + (n < 0 ? 1 : 0);
}
static_assert(third(383) == 127 && third(-382) == -127 && third(-381) == -127 && third(3) == 1 &&
              third(-3) == -1);

}  // namespace

const popsgd::FixedBatch& Digits::next() noexcept {
  label_[0] = share_.draw(random_, kClasses);
  const std::uint32_t shift = random_.below(3);  // a pixel to the left or right, or none
  for (std::size_t row = 0; row < 8; ++row) {
    const std::uint32_t line = (std::uint32_t{kShapes[label_[0]][row]} << shift) >> 1;
    for (std::size_t column = 0; column < 8; ++column) {
      const std::uint32_t bits = random_.bits();
      // Three bytes' sum: nearly normal, of mean 382 and deviation 128.
      const auto sum = static_cast<std::int32_t>((bits & 0xFFU) + (bits >> 8 & 0xFFU) + (bits >> 16 & 0xFFU));
      const std::int32_t lit = (line >> (7 - column) & 1U) != 0 ? 256 : 0;
      pixels_[8 * row + column] = static_cast<std::int16_t>(lit + third(sum - 382));
    }
  }
  batch_.features = pixels_;
  batch_.labels = label_;
  return batch_;
}

}  // namespace firmware
