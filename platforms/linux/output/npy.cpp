#include "output/npy.h"

namespace popsgd::command {

std::string npy(std::span<const std::byte> values, Numeric numeric) {
  const std::size_t width = Model::width(numeric);
  const char* type = numeric == Numeric::float32 ? "<f4" : numeric == Numeric::int16 ? "<i2" : "|i1";
  std::string about = "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (" +
                      std::to_string(values.size() / width) + ",), }";
  constexpr std::size_t kBefore = 10;  // magic, version, length of the text
  constexpr std::size_t kAlignment = 64;
  about.append(kAlignment - (kBefore + about.size() + 1) % kAlignment, ' ');
  about += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(about.size() & 0xFF);
  file += static_cast<char>(about.size() >> 8);
  file += about;
  file.append(reinterpret_cast<const char*>(values.data()), values.size());
  return file;
}

}  // namespace popsgd::command
