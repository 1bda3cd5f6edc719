// What the programs that write seeds have in common.
#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <string>

namespace popsgd::test {

/// Writes one seed; false if it could not be written.
using WriteSeed = std::function<bool(const std::string& name, std::span<const std::byte> bytes)>;

/// main() of a program that is called with a folder: makes it, and lets `make` write seeds into it.
inline int write_seeds(int argc, char** argv, const std::function<bool(const WriteSeed&)>& make) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  const bool written = make([&folder](const std::string& name, std::span<const std::byte> bytes) {
    std::ofstream file(folder / (name + ".bin"), std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return static_cast<bool>(file.flush());
  });
  return written ? 0 : 1;
}

}  // namespace popsgd::test
