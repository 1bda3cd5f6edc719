// The .npy format of NumPy (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): a magic
// string, a version, the length of a header, and the header: a Python dictionary of type, order and shape.
#include "readers.h"

#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>

namespace popsgd::sim {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

struct Header {
  std::optional<std::string_view> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::size_t>> shape;
};

/// Reads {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), } and no other Python.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& file) : rest_(text), file_(file) {}

  Header parse() {
    Header header;
    expect('{');
    while (!accept('}')) {
      entry(header);
      if (accept(',')) continue;
      expect('}');
      break;
    }
    skip_blanks();
    if (!rest_.empty()) fail("has text after the closing brace");
    if (!header.descr || !header.fortran_order || !header.shape) {
      fail("must have the keys descr, fortran_order and shape");
    }
    return header;
  }

 private:
  void entry(Header& header) {
    const std::string_view key = string();
    expect(':');
    if (key == "descr") {
      if (accept('[')) fail("describes records; one plain type is needed");
      header.descr = string();
    } else if (key == "fortran_order") {
      header.fortran_order = boolean();
    } else if (key == "shape") {
      header.shape = tuple();
    } else {
      fail("has a key other than descr, fortran_order and shape");
    }
  }

  std::string_view string() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect(quote);
    const std::size_t end = rest_.find(quote);
    if (end == std::string_view::npos) fail("has a string without an end");
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }

  bool boolean() {
    skip_blanks();
    for (const std::string_view word : {"False", "True"}) {
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return word == "True";
    }
    fail("needs True or False as its fortran_order");
  }

  std::vector<std::size_t> tuple() {
    std::vector<std::size_t> numbers;
    expect('(');
    while (!accept(')')) {
      numbers.push_back(number());
      if (accept(',')) continue;
      expect(')');
      break;
    }
    return numbers;
  }

  std::size_t number() {
    skip_blanks();
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) fail("needs whole numbers up to " + std::to_string(SIZE_MAX) + " in its shape");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    accept('L');  // Python 2 marks its long integers so
    return value;
  }

  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  bool accept(char token) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != token) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(char token) {
    if (!accept(token)) fail(std::string("is damaged where '") + token + "' should be");
  }

  [[noreturn]] void fail(const std::string& why) const { throw Error(file_ + ": the .npy header " + why); }

  std::string_view rest_;
  const std::string& file_;
};

/// The element type of a descr such as <f8: byte order, kind, size.
ElementType type_of(std::string_view descr, const std::string& file) {
  const std::string_view kind = descr.substr(std::min<std::size_t>(descr.size(), 1));
  const auto order = descr.starts_with('>')   ? std::endian::big
                     : descr.starts_with('<') ? std::endian::little
                                              : std::endian::native;
  if (descr.find_first_of("<>=|") == 0) {
    if (kind == "u1" || kind == "b1") return element_type<std::uint8_t>(order);
    if (kind == "i1") return element_type<std::int8_t>(order);
    if (kind == "i2") return element_type<std::int16_t>(order);
    if (kind == "i4") return element_type<std::int32_t>(order);
    if (kind == "i8") return element_type<std::int64_t>(order);
    if (kind == "f4") return element_type<float>(order);
    if (kind == "f8") return element_type<double>(order);
  }
  throw Error(file +
              ": its element type is not one of b1, u1, i1, i2, i4, i8, f4, f8; convert it with astype()");
}

std::size_t little_endian(const std::uint8_t* from, std::size_t size) {
  std::size_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | from[i];
  return value;
}

std::string_view text_of(const File& file) {
  return {reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()};
}

}  // namespace

bool is_npy(const File& file) {
  return file.name.ends_with(".npy") || file.name.ends_with(".npy.gz") || text_of(file).starts_with(kMagic);
}

Array read_npy(File file) {
  const std::string_view text = text_of(file);
  if (!text.starts_with(kMagic)) {
    throw Error(file.name + ": not a .npy file: it does not start with \\x93NUMPY");
  }
  const std::size_t version_at = kMagic.size();
  const std::size_t length_at = version_at + 2;
  const std::uint8_t version = text.size() > version_at ? file.bytes[version_at] : 1;
  if (version < 1 || version > 3) {
    throw Error(file.name + ": .npy version " + std::to_string(version) +
                " is unknown; known are 1, 2 and 3");
  }
  const std::size_t length_size = version == 1 ? 2 : 4;
  const std::size_t header_at = length_at + length_size;
  if (text.size() < header_at) throw Error(file.name + ": truncated in the .npy header");
  const std::size_t length = little_endian(file.bytes.data() + length_at, length_size);
  if (length > text.size() - header_at) throw Error(file.name + ": truncated in the .npy header");

  const Header header = HeaderParser(text.substr(header_at, length), file.name).parse();
  if (*header.fortran_order) {
    throw Error(file.name + ": is in Fortran order; save it in C order with numpy.ascontiguousarray()");
  }
  const ElementType type = type_of(*header.descr, file.name);
  return make_array(std::move(file), header_at + length, *header.shape, type);
}

}  // namespace popsgd::sim
