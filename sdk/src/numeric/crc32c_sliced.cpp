#include "numeric/crc32c.h"
#include "numeric/little_endian.h"

#include <array>

namespace popsgd::numeric {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78U;  // 0x1EDC6F41, its bits reversed

// kTables[k][b]: what byte b does to the register when k bytes of zeros follow it.
constexpr std::array<std::array<std::uint32_t, 256>, 8> kTables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (std::size_t k = 0; k < 8; ++k) {
      for (int bit = 0; bit < 8; ++bit) rest = rest >> 1 ^ ((rest & 1U) != 0 ? kPolynomial : 0U);
      tables[k][byte] = rest;
    }
  }
  return tables;
}();

}  // namespace

std::uint32_t crc32c_sliced(std::span<const std::byte> bytes, std::uint32_t so_far) noexcept {
  std::uint32_t crc = ~so_far;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    const std::uint64_t eight = get<std::uint64_t>(bytes, 0) ^ crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= kTables[7 - k][eight >> (8 * k) & 0xFFU];
  }
  for (const std::byte byte : bytes) {
    crc = crc >> 8 ^ kTables[0][(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFFU];
  }
  return ~crc;
}

}  // namespace popsgd::numeric
