#include "http_request.h"

#include <algorithm>

namespace popsgd::net {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// RFC 9110, 5.6.2.
bool is_token(std::string_view word) {
  const auto allowed = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  return !word.empty() && std::ranges::all_of(word, allowed);
}

bool is_visible(std::string_view word) {
  return std::ranges::all_of(word, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

// Takes what comes before `end` off the text, and `end` with it; all of it if there is none.
std::string_view take(std::string_view& text, std::string_view end) {
  const std::string_view taken = text.substr(0, text.find(end));
  text.remove_prefix(std::min(text.size(), taken.size() + end.size()));
  return taken;
}

// 200, or why not.
int read_request_line(std::string_view line, HttpHead& head) {
  const std::string_view method = take(line, " ");
  std::string_view target = take(line, " ");
  if (!is_token(method) || !is_visible(target) || (line != "HTTP/1.1" && line != "HTTP/1.0")) return 400;
  if (!target.starts_with('/') && target != "*") return 400;
  if (method != "GET" && method != "HEAD") return 405;
  head.head = method == "HEAD";
  head.path = take(target, "?");
  head.query = target;
  return head.path.starts_with('/') ? 200 : 400;
}

// A request that has a body, or two meanings, is not answered.
int read_field(std::string_view line, HttpHead& head, bool& has_host) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return 400;
  const std::string_view name = line.substr(0, colon), value = trim(line.substr(colon + 1));
  if (!is_token(name)) return 400;  // also a line that goes on from the one before
  if (same_word(name, "Transfer-Encoding")) return 400;
  if (same_word(name, "Content-Length") && value != "0") return 400;
  if (!same_word(name, "Host")) return 200;
  if (has_host || !is_visible(value)) return 400;
  has_host = true;
  head.host = value;
  return 200;
}

}  // namespace

std::size_t http_head_length(std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  return end == std::string_view::npos ? end : end + 4;
}

bool may_be_http(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\r' && i + 1 < bytes.size() && bytes[i + 1] != '\n') return false;
    if (c == '\n' && (i == 0 || bytes[i - 1] != '\r')) return false;
    const bool control = static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    if (control && c != '\r' && c != '\n' && c != '\t') return false;
  }
  const std::string_view method = bytes.substr(0, bytes.find(' '));
  return bytes.empty() || is_token(method);
}

HttpHead read_http_head(std::string_view bytes) {
  HttpHead head;
  const std::string_view first = take(bytes, kLineEnd);
  const bool needs_host = first.ends_with("/1.1");
  bool has_host = false;
  int status = may_be_http(first) ? read_request_line(first, head) : 400;
  for (std::string_view line = take(bytes, kLineEnd); !line.empty(); line = take(bytes, kLineEnd)) {
    if (status == 200) status = read_field(line, head, has_host);
  }
  if (status == 200 && needs_host && !has_host) status = 400;
  head.status = status;
  return head;
}

std::string_view host_name(std::string_view host) {
  const auto bracket = host.find(']');
  const auto colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return host.substr(0, colon);
}

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace popsgd::net
