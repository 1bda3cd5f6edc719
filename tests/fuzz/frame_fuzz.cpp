// Whatever bytes a peer sends: decode() refuses them, or the frame they hold survives encode() and decode().
#include "codec/codec.h"
#include "frames.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace popsgd::codec;
  std::vector<std::byte> bytes(size);  // aligned, and with nothing behind it
  if (size > 0) std::memcpy(bytes.data(), data, size);
  const auto frame = decode(bytes);
  if (!frame.ok()) return 0;
  const auto again = encoded(frame.value());
  const auto second = decode(again);
  if (!second.ok() || !same(frame.value(), second.value())) std::abort();
  return 0;
}
