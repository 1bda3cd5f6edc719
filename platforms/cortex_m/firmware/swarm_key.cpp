#include "swarm_key.h"

#include <popsgd/crc32c.h>

#include <algorithm>
#include <span>

namespace firmware {
namespace {

constexpr std::string_view kHead = "POPSGD:1-";
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford's: no I, L, O, U
constexpr std::size_t kEpoch = 4, kKey = 32, kChecksum = 4;
using Bytes = std::array<std::byte, kEpoch + kKey + kChecksum>;

std::uint32_t number(std::span<const std::byte, 4> bytes) {
  std::uint32_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint32_t>(byte);
  return value;
}

// Five bits a symbol, the first ones first.
bool decode(std::string_view text, Bytes& into) {
  std::size_t symbols = 0;
  std::uint32_t bits = 0;
  for (const char symbol : text) {
    if (symbol == '-') continue;
    const std::size_t value = kAlphabet.find(symbol);
    if (value == std::string_view::npos || 5 * symbols == 8 * into.size()) return false;
    bits = bits << 5 | static_cast<std::uint32_t>(value);
    const std::size_t before = 5 * symbols / 8;
    const std::size_t have = 5 * ++symbols;
    if (have / 8 > before) into[before] = static_cast<std::byte>(bits >> have % 8);
  }
  return 5 * symbols == 8 * into.size();
}

}  // namespace

std::optional<SwarmKey> swarm_key_from(std::string_view text) noexcept {
  Bytes bytes{};
  if (!text.starts_with(kHead)) return {};
  text.remove_prefix(kHead.size());
  if (!decode(text, bytes)) return {};
  const std::span all(bytes);
  SwarmKey key{.epoch = number(all.first<kEpoch>())};
  std::ranges::copy(all.subspan<kEpoch, kKey>(), key.bytes.begin());
  const bool sound = popsgd::crc32c(all.first(kEpoch + kKey)) == number(all.last<kChecksum>());
  return sound && key.epoch > 0 ? std::optional(key) : std::nullopt;
}

}  // namespace firmware
