// mbedTLS has its bytes as unsigned char.
#pragma once

#include <cstddef>
#include <span>

namespace popsgd::secure {

inline const unsigned char* chars(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* writable_chars(std::span<std::byte> bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace popsgd::secure
