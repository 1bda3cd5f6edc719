// What anybody may send to the web server: it is read within its bytes, and what passes is a GET or HEAD of a path.
#include "http_request.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace popsgd::net;

void require(bool holds) {
  if (!holds) std::abort();
}

bool within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)may_be_http(bytes);
  const std::size_t length = http_head_length(bytes);
  if (length == std::string_view::npos) return 0;
  require(length <= size && bytes.substr(0, length).ends_with("\r\n\r\n"));

  const HttpHead head = read_http_head(bytes.substr(0, length));
  require(head.status == 200 || head.status == 400 || head.status == 405);
  if (head.status != 200) return 0;
  require(bytes.starts_with(head.head ? "HEAD /" : "GET /"));
  require(head.path.starts_with('/') && head.path.find_first_of("? \r\n") == std::string_view::npos);
  for (const std::string_view part : {head.path, head.query, head.host, host_name(head.host)}) {
    require(within(part, bytes) && part.find_first_of(" \r\n") == std::string_view::npos);
  }
  return 0;
}
