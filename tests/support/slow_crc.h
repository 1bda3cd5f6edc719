// CRC-32C as its definition has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::test {

/// One bit at a time: RFC 3720, section 12.1.
inline std::uint32_t slow_crc(std::span<const std::byte> bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const auto byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1 ^ 0x82F63B78U : crc >> 1;
  }
  return ~crc;
}

}  // namespace popsgd::test
