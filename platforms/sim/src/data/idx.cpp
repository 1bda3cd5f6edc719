// The IDX format of the MNIST files (http://yann.lecun.com/exdb/mnist): two zero bytes, a type code, the
// number of dimensions, each dimension as a 32-bit number, then the elements; all of it big-endian.
#include "readers.h"

#include <optional>

namespace popsgd::sim {
namespace {

std::optional<ElementType> type_of(std::uint8_t code) {
  switch (code) {
    case 0x08:
      return element_type<std::uint8_t>(std::endian::big);
    case 0x09:
      return element_type<std::int8_t>(std::endian::big);
    case 0x0B:
      return element_type<std::int16_t>(std::endian::big);
    case 0x0C:
      return element_type<std::int32_t>(std::endian::big);
    case 0x0D:
      return element_type<float>(std::endian::big);
    case 0x0E:
      return element_type<double>(std::endian::big);
    default:
      return std::nullopt;
  }
}

std::size_t big_endian_32(const std::uint8_t* from) {
  return std::size_t{from[0]} << 24 | std::size_t{from[1]} << 16 | std::size_t{from[2]} << 8 | from[3];
}

}  // namespace

bool is_idx(const File& file) {
  return file.name.ends_with("-ubyte") || file.name.ends_with("-ubyte.gz") ||
         (file.bytes.size() >= 4 && file.bytes[0] == 0 && file.bytes[1] == 0);
}

Array read_idx(File file) {
  const auto& bytes = file.bytes;
  if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0) {
    throw Error(file.name + ": not an IDX file, which starts with two zero bytes, a type and a rank");
  }
  const auto type = type_of(bytes[2]);
  if (!type) {
    throw Error(file.name + ": IDX type code " + std::to_string(bytes[2]) +
                " is unknown; known are 8, 9, 11, 12, 13 and 14");
  }
  const std::size_t header = 4 + 4 * std::size_t{bytes[3]};
  if (bytes.size() < header) throw Error(file.name + ": truncated in the IDX header");
  std::vector<std::size_t> shape;
  for (std::size_t at = 4; at < header; at += 4) shape.push_back(big_endian_32(bytes.data() + at));
  return make_array(std::move(file), header, std::move(shape), *type);
}

}  // namespace popsgd::sim
