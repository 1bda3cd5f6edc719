#include "arguments.h"

#include <cstring>
#include <string_view>

namespace firmware {
namespace {

// Takes a number off the front.
std::optional<std::uint32_t> number(std::string_view& text) {
  std::uint32_t value = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && digits < 9 && text[digits] >= '0' && text[digits] <= '9'; ++digits)
    value = 10 * value + static_cast<std::uint32_t>(text[digits] - '0');
  if (digits == 0) return {};
  text.remove_prefix(digits);
  return value;
}

bool skip(std::string_view& text, char mark) {
  if (!text.starts_with(mark)) return false;
  text.remove_prefix(1);
  return true;
}

bool whole(std::string_view text, std::uint32_t& into) {
  const auto value = number(text);
  if (value) into = *value;
  return value && text.empty();
}

bool share(std::string_view text, Share& into) {
  const auto index = number(text);
  const auto parts = skip(text, '/') ? number(text) : std::nullopt;
  if (!index || !parts || *index >= *parts || *index >= 5 || !text.empty()) return false;
  into = {*index, *parts};
  return true;
}

bool address(std::string_view text, popsgd::Address& into) {
  std::array<std::uint8_t, 4> ip{};
  for (std::size_t k = 0; k < ip.size(); ++k) {
    const auto part = k == 0 || skip(text, '.') ? number(text) : std::nullopt;
    if (!part || *part > 255) return false;
    ip[k] = static_cast<std::uint8_t>(*part);
  }
  const auto port = skip(text, ':') ? number(text) : std::nullopt;
  if (!port || *port == 0 || *port > 65535 || !text.empty()) return false;
  into = popsgd::v4_address(ip, static_cast<std::uint16_t>(*port));
  return true;
}

bool key(std::string_view text, std::optional<SwarmKey>& into) {
  into = swarm_key_from(text);
  return into.has_value();
}

bool either(std::string_view text, std::string_view no, std::string_view yes, bool& into) {
  into = text == yes;
  return text == yes || text == no;
}

bool understand(std::string_view name, std::string_view value, Request& request) {
  if (name == "data") return either(value, "digits", "activity", request.activity);
  if (name == "numeric") return either(value, "int16", "float32", request.floats);
  if (name == "share") return share(value, request.share);
  if (name == "seconds") return whole(value, request.seconds);
  if (name == "step") return whole(value, request.pace.step);
  if (name == "meet") return whole(value, request.pace.meet);
  if (name == "save") return whole(value, request.save);
  if (name == "cut") return whole(value, request.cut.emplace());
  if (name == "key") return key(value, request.key);
  if (name == "peer" && request.peer_count < request.peers.size())
    return address(value, request.peers[request.peer_count++]);
  return false;
}

}  // namespace

std::optional<Request> request_from(std::span<char* const> words) noexcept {
  Request request;
  for (const std::string_view word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return {};
    const std::string_view name(word.data(), equals);  // substr() might throw
    std::string_view value = word;
    value.remove_prefix(equals + 1);
    if (!understand(name, value, request)) return {};
  }
  return request;
}

}  // namespace firmware
