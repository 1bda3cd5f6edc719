// The part of HTTP/1.1 that a server of a few pages needs to understand: what a client may ask, strictly read.
#pragma once

#include <cstddef>
#include <string_view>

namespace popsgd::net {

/// The head of a request. Everything lies within the bytes that were read.
struct HttpHead {
  int status = 200;  ///< 400 or 405: there is no answer to this one, and the rest means nothing
  bool head = false;
  std::string_view path;
  std::string_view query;
  std::string_view host;  ///< as the Host header has it; empty without one
};

/// The length of a head that has come entire, with its empty line; npos if more must come.
[[nodiscard]] std::size_t http_head_length(std::string_view bytes);

/// Whether these bytes can begin a request: text, and no others. What speaks TLS, say, need not be waited for.
[[nodiscard]] bool may_be_http(std::string_view bytes);

/// Reads a head of http_head_length().
[[nodiscard]] HttpHead read_http_head(std::string_view bytes);

/// The name or address in a Host header, without its port: "localhost", "[::1]".
[[nodiscard]] std::string_view host_name(std::string_view host);

/// Equal but for the case of ASCII letters.
[[nodiscard]] bool same_word(std::string_view a, std::string_view b);

}  // namespace popsgd::net
