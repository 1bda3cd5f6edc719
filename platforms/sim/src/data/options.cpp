#include <popsgd/sim/data_source.h>

#include <algorithm>
#include <optional>
#include <sstream>

namespace popsgd::sim {
namespace {

bool is_key(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

/// key=value[,key=value]..., or nothing if `text` does not read so.
std::optional<std::map<std::string, std::string>> read_options(std::string_view text) {
  std::map<std::string, std::string> options;
  for (bool more = true; more;) {
    const std::string_view item = text.substr(0, text.find(','));
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos || equals + 1 == item.size()) return std::nullopt;
    const std::string_view key = item.substr(0, equals);
    if (!is_key(key)) return std::nullopt;
    if (!options.emplace(key, item.substr(equals + 1)).second) {
      throw Error("option '" + std::string(key) + "' is given twice; give it once");
    }
    more = item.size() < text.size();
    text.remove_prefix(item.size() + (more ? 1 : 0));
  }
  return options;
}

std::string join(std::span<const std::string_view> words) {
  std::string joined;
  for (const std::string_view word : words) joined += (joined.empty() ? "" : ", ") + std::string(word);
  return joined;
}

template <class Number>
std::string range(std::string_view kind, Number lowest, Number highest) {
  std::ostringstream text;
  text << kind << " from " << lowest << " to " << highest;
  return text.str();
}

}  // namespace

DataSpec DataSpec::parse(std::string_view text) {
  DataSpec spec{std::string(text), {}};
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    if (auto options = read_options(text.substr(colon + 1))) {
      spec = {std::string(text.substr(0, colon)), std::move(*options)};
    }
  }
  if (spec.name.empty()) {
    throw Error("the data has no name: give NAME or PATH, as in fashion-mnist or blobs:d=8");
  }
  return spec;
}

Options::Options(const DataSpec& spec, std::initializer_list<std::string_view> known) : spec_(spec) {
  for (const auto& [key, value] : spec.options) {
    if (std::ranges::find(known, key) != known.end()) continue;
    throw Error(spec.name + " has no option '" + key + "' (its options are " + join(known) + ")" +
                suggest(key, known));
  }
}

std::size_t Options::count(const std::string& key, std::size_t fallback, std::size_t lowest,
                           std::size_t highest) const {
  const auto option = spec_.options.find(key);
  if (option == spec_.options.end()) return fallback;
  const long long value = to_integer(option->second).value_or(-1);
  if (value < 0 || static_cast<std::size_t>(value) < lowest || static_cast<std::size_t>(value) > highest) {
    throw wrong(key, range("a whole number", lowest, highest));
  }
  return static_cast<std::size_t>(value);
}

double Options::real(const std::string& key, double fallback, double lowest, double highest) const {
  const auto option = spec_.options.find(key);
  if (option == spec_.options.end()) return fallback;
  const auto value = to_real(option->second);
  if (value && *value >= lowest && *value <= highest) return *value;
  throw wrong(key, range("a number", lowest, highest));
}

std::string Options::text(const std::string& key, std::string_view fallback) const {
  const auto option = spec_.options.find(key);
  return option == spec_.options.end() ? std::string(fallback) : option->second;
}

std::string Options::choice(const std::string& key, std::initializer_list<std::string_view> words,
                            std::string_view fallback) const {
  const std::string value = text(key, fallback);
  if (std::ranges::find(words, value) != words.end()) return value;
  throw wrong(key, "one of " + join(words) + suggest(value, words));
}

Error Options::wrong(const std::string& key, std::string_view right) const {
  return Error(spec_.name + ": " + key + "=" + text(key, "") + " is wrong; right is " + std::string(right));
}

}  // namespace popsgd::sim
