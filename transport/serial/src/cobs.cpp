#include <popsgd/serial/cobs.h>

#include <algorithm>

namespace popsgd::serial {

std::optional<std::size_t> cobs_decode(std::span<std::byte> bytes) noexcept {
  if (bytes.empty()) return {};
  std::size_t written = 0;
  for (std::size_t read = 0; read < bytes.size();) {
    const auto length = std::to_integer<std::size_t>(bytes[read]);
    if (length == 0 || length > bytes.size() - read) return {};
    const auto block = bytes.subspan(read + 1, length - 1);
    if (std::ranges::find(block, std::byte{0}) != block.end()) return {};
    std::ranges::copy(block, bytes.begin() + static_cast<std::ptrdiff_t>(written));  // to the left
    written += length - 1;
    read += length;
    if (length < 255 && read < bytes.size()) bytes[written++] = std::byte{0};
  }
  return written;
}

}  // namespace popsgd::serial
