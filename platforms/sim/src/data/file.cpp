#include "readers.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <zlib.h>

namespace popsgd::sim {

// What a compressed file will hold cannot be known before it is read, so the buffer grows with what comes.
File read_file(const std::filesystem::path& path) {
  constexpr unsigned kChunk = 1U << 20;
  const auto close = [](gzFile stream) { gzclose_r(stream); };
  const std::unique_ptr<gzFile_s, decltype(close)> stream(gzopen(path.c_str(), "rb"), close);
  if (!stream) throw Error("cannot open " + path.string() + ": " + std::strerror(errno));
  gzbuffer(stream.get(), kChunk / 8);

  File file{path.string(), {}};
  for (int got = 1; got > 0;) {
    const std::size_t size = file.bytes.size();
    file.bytes.resize(size + kChunk);
    got = gzread(stream.get(), file.bytes.data() + size, kChunk);
    file.bytes.resize(size + static_cast<std::size_t>(std::max(got, 0)));
  }
  int code = Z_OK;
  const std::string reason = gzerror(stream.get(), &code);
  // zlib puts the path in front of its reason. A stream cut short is no error to gzread, only to gzerror.
  if (code != Z_OK) throw Error("cannot read " + reason + "; the file is truncated or damaged");
  return file;
}

}  // namespace popsgd::sim
