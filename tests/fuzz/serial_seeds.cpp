// Writes what a serial link writes for a few frames: where the fuzzer begins.
//   popsgd_serial_seeds FOLDER
#include "seeds.h"
#include "serial_wire.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {

class Nobody final : public popsgd::LinkUser {
 public:
  void received(popsgd::Link&, std::span<const std::byte>) noexcept override {}
  void writable(popsgd::Link&) noexcept override {}
  void closed(popsgd::Link&) noexcept override {}
};

}  // namespace

int main(int argc, char** argv) {
  return popsgd::test::write_seeds(argc, argv, [](const popsgd::test::WriteSeed& write) {
    for (const std::size_t size : {1U, 7U, 249U, 250U, 251U, 299U, 300U}) {
      for (const int value : {0, 1, 255}) {
        popsgd::test::SerialWire wire(300);
        Nobody nobody;
        wire.link.open(nobody);
        const std::vector<std::byte> frame(size, static_cast<std::byte>(value));
        for (int k = 0; k < 2; ++k) static_cast<void>(wire.link.send(frame));
        if (!write("frame" + std::to_string(size) + "_" + std::to_string(value), wire.written)) return false;
      }
    }
    return true;
  });
}
