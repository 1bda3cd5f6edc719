// Whatever bytes a wire brings: nothing but whole frames is handed over, and a frame that follows arrives.
#include "serial_wire.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace {

using namespace popsgd;

constexpr std::uint16_t kMtu = 300;

class Reader final : public LinkUser {
 public:
  void received(Link&, std::span<const std::byte> frame) noexcept override {
    if (frame.empty() || frame.size() > kMtu || reinterpret_cast<std::uintptr_t>(frame.data()) % 8 != 0)
      std::abort();
    last.assign(frame.begin(), frame.end());
  }
  void writable(Link&) noexcept override {}
  void closed(Link&) noexcept override {}

  std::vector<std::byte> last{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::SerialWire from(kMtu);
  test::SerialWire to(kMtu);
  Reader reader;
  from.link.open(reader);
  to.link.open(reader);
  const auto bytes = std::as_bytes(std::span(data, size));
  const std::size_t cut = size == 0 ? 0 : data[0] % size;
  to.link.feed(bytes.first(cut));
  to.link.feed(bytes.subspan(cut));

  const auto frame =
      size == 0 ? std::as_bytes(std::span("frame")) : bytes.first(std::min<std::size_t>(size, kMtu));
  if (from.link.send(frame) != Status::ok) std::abort();
  to.link.feed(from.written);
  if (!std::ranges::equal(reader.last, frame)) std::abort();
  return 0;
}
