#include "key/key_text.h"

#include <popsgd/crc32c.h>

#include <algorithm>
#include <cctype>
#include <span>

namespace popsgd::command {
namespace {

constexpr std::string_view kScheme = "POPSGD:";
constexpr std::string_view kHead = "POPSGD:1-";
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford's: no I, L, O, U
constexpr std::size_t kEpoch = 4, kKey = 32, kChecksum = 4;
constexpr std::size_t kBytes = kEpoch + kKey + kChecksum;
constexpr std::size_t kSymbols = kBytes * 8 / 5;
using Bytes = Secret<std::array<std::uint8_t, kBytes>>;

char upper(char letter) {
  return static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
}

bool blank(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\r';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

void put(std::uint8_t* at, std::uint32_t value) {
  for (int k = 0; k < 4; ++k) at[k] = static_cast<std::uint8_t>(value >> (24 - 8 * k));
}

std::uint32_t get(const std::uint8_t* at) {
  std::uint32_t value = 0;
  for (int k = 0; k < 4; ++k) value = value << 8 | at[k];
  return value;
}

std::uint32_t checksum(const Bytes& bytes) {
  return crc32c(std::as_bytes(std::span(bytes.value)).first(kEpoch + kKey));
}

/// The value of a symbol, as somebody may have typed it; npos: it is none.
std::size_t value_of(char symbol) {
  symbol = upper(symbol);
  if (symbol == 'O') symbol = '0';
  if (symbol == 'I' || symbol == 'L') symbol = '1';
  return kAlphabet.find(symbol);
}

/// All symbols behind the head into all bytes; what is wrong.
std::string decode(std::string_view text, Bytes& into) {
  std::size_t count = 0;
  std::uint32_t bits = 0;
  for (std::size_t k = 0; k < text.size(); ++k) {
    if (text[k] == '-' || blank(text[k])) continue;
    const std::size_t value = value_of(text[k]);
    if (value == std::string_view::npos)
      return "its character " + std::to_string(kHead.size() + k + 1) +
             " is none of the letters and digits that there are";
    if (count < kSymbols) {
      bits = bits << 5 | static_cast<std::uint32_t>(value);
      const std::size_t have = 5 * (count + 1);
      if (have / 8 > 5 * count / 8) into.value[have / 8 - 1] = static_cast<std::uint8_t>(bits >> have % 8);
    }
    ++count;
  }
  if (count == kSymbols) return {};
  return "it has " + std::to_string(count) + " letters and digits behind " + std::string(kHead) + ", not " +
         std::to_string(kSymbols);
}

}  // namespace

void write_enrolment(const SwarmKey& key, EnrolmentText& into) {
  Bytes bytes;
  put(bytes.value.data(), key.epoch);
  std::copy(key.bytes.value.begin(), key.bytes.value.end(), bytes.value.begin() + kEpoch);
  put(bytes.value.data() + kEpoch + kKey, checksum(bytes));
  char* at = std::copy(kHead.begin(), kHead.end(), into.value.data());
  for (std::size_t k = 0; k < kSymbols; ++k) {
    if (k > 0 && k % 4 == 0) *at++ = '-';
    const std::size_t first = 5 * k / 8;
    const unsigned two = bytes.value[first] * 256U + (first + 1 < kBytes ? bytes.value[first + 1] : 0U);
    *at++ = kAlphabet[two >> (11 - 5 * k % 8) & 31U];
  }
}

std::string read_enrolment(std::string_view text, SwarmKey& into) {
  text = trim(text);
  const auto begins = [text](std::string_view with) {
    return text.size() >= with.size() &&
           std::equal(with.begin(), with.end(), text.begin(), [](char a, char b) { return a == upper(b); });
  };
  if (!begins(kScheme)) return "it does not begin with " + std::string(kHead);
  if (!begins(kHead)) return "it is of a version that this program does not know";
  Bytes bytes;
  if (std::string wrong = decode(text.substr(kHead.size()), bytes); !wrong.empty()) return wrong;
  if (get(bytes.value.data() + kEpoch + kKey) != checksum(bytes))
    return "its checksum is wrong: a character is not what it was";
  const std::uint32_t epoch = get(bytes.value.data());
  if (epoch == 0) return "it is of epoch 0; they begin with 1";
  into.epoch = epoch;
  std::copy_n(bytes.value.begin() + kEpoch, kKey, into.bytes.value.begin());
  return {};
}

std::string read_key_text(std::string_view contents, SwarmKey& into) {
  if (contents.size() > kLongestKeyText)
    return "it is longer than " + std::to_string(kLongestKeyText) + " bytes";
  std::string_view found;
  while (!contents.empty()) {
    const std::size_t end = std::min(contents.find('\n'), contents.size());
    const std::string_view line = trim(contents.substr(0, end));
    contents.remove_prefix(std::min(end + 1, contents.size()));
    if (line.empty() || line.front() == '#') continue;
    if (!found.empty()) return "it has more than one line that is not a comment";
    found = line;
  }
  if (found.empty()) return "there is no key in it";
  return read_enrolment(found, into);
}

}  // namespace popsgd::command
