#include "numeric/crc32c.h"

#include <array>

namespace popsgd::numeric {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78U;  // 0x1EDC6F41, its bits reversed

// What four bits shifted out of the register do to the rest of it.
constexpr std::array<std::uint32_t, 16> kTable = [] {
  std::array<std::uint32_t, 16> table{};
  for (std::uint32_t k = 0; k < table.size(); ++k) {
    std::uint32_t rest = k;
    for (int bit = 0; bit < 4; ++bit) rest = rest >> 1 ^ ((rest & 1U) != 0 ? kPolynomial : 0U);
    table[k] = rest;
  }
  return table;
}();

}  // namespace

std::uint32_t crc32c_small(std::span<const std::byte> bytes, std::uint32_t so_far) noexcept {
  std::uint32_t crc = ~so_far;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    crc = crc >> 4 ^ kTable[crc & 0xFU];
    crc = crc >> 4 ^ kTable[crc & 0xFU];
  }
  return ~crc;
}

}  // namespace popsgd::numeric
