// Writes valid frames of every kind, one a file: where the fuzzer begins, and what flatc must understand.
//   popsgd_frame_seeds FOLDER
#include "frames.h"

#include <popsgd/random.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  using namespace popsgd::codec;
  if (argc != 2) {
    std::fputs("usage: popsgd_frame_seeds FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  const std::vector<std::byte> data(64, std::byte{0x3F});
  for (const Kind kind : kEveryKind) {
    popsgd::Random random(1, popsgd::Purpose::user, static_cast<std::uint32_t>(kind));
    for (int k = 0; k < 4; ++k) {
      const auto bytes = encoded(any_frame(random, kind, data));
      const auto name = "kind" + std::to_string(static_cast<int>(kind)) + "_" + std::to_string(k) + ".bin";
      std::ofstream file(folder / name, std::ios::binary);
      file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
      if (!file.flush()) return 1;
    }
  }
  return 0;
}
