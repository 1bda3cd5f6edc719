// Writes valid frames of every kind, one a file: where the fuzzer begins, and what flatc must understand.
//   popsgd_frame_seeds FOLDER
#include "frames.h"
#include "seeds.h"

#include <popsgd/random.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  using namespace popsgd::codec;
  return popsgd::test::write_seeds(argc, argv, [](const popsgd::test::WriteSeed& write) {
    const std::vector<std::byte> data(64, std::byte{0x3F});
    for (const Kind kind : kEveryKind) {
      popsgd::Random random(1, popsgd::Purpose::user, static_cast<std::uint32_t>(kind));
      for (int k = 0; k < 4; ++k) {
        const auto name = "kind" + std::to_string(static_cast<int>(kind)) + "_" + std::to_string(k);
        if (!write(name, encoded(any_frame(random, kind, data)))) return false;
      }
    }
    return true;
  });
}
