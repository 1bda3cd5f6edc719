#include "exchange/tensors.h"

#include "numeric/crc32c.h"
#include "numeric/little_endian.h"

#include <array>
#include <cstddef>

namespace popsgd {

std::uint32_t Tensors::fingerprint() const {
  if (count() == 1) return 0;
  std::uint32_t crc = 0;
  for (const Tensor& tensor : layout_) {
    std::array<std::byte, 4> length;
    numeric::put(std::span<std::byte>(length), 0, tensor.length);
    crc = numeric::crc32c(length, crc);
  }
  return crc;
}

}  // namespace popsgd
