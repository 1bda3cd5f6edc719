#include <popsgd/sim/error.h>
#include <popsgd/sim/numeric.h>

#include <algorithm>
#include <array>
#include <string>

namespace popsgd::sim {
namespace {

constexpr std::array<std::string_view, 3> kNames{"float32", "int16", "int8"};

Numeric numeric_named(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) {
    throw Error("--numeric " + std::string(name) + " is not known" + suggest(name, kNames) +
                "; it is float32, int16, int8, or a mix such as float32:24,int16:8");
  }
  return static_cast<Numeric>(found - kNames.begin());
}

}  // namespace

std::string_view text(Numeric numeric) {
  return kNames[static_cast<std::size_t>(numeric)];
}

std::vector<Numeric> parse_numeric(std::string_view text, std::uint32_t agents) {
  std::vector<Numeric> kinds;
  if (text.find(':') == std::string_view::npos) {
    kinds.assign(agents, numeric_named(text));
  } else {
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view part = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), part.size() + 1));
      const std::size_t colon = std::min(part.find(':'), part.size());
      const Numeric kind = numeric_named(part.substr(0, colon));
      const long long count =
          parse_integer(part.substr(std::min(part.size(), colon + 1)), "the agents of --numeric");
      if (count < 0 || count > agents) {
        throw Error("--numeric " + std::string(text) + ": " + std::to_string(count) + " agents of " +
                    std::to_string(agents));
      }
      kinds.insert(kinds.end(), static_cast<std::size_t>(count), kind);
    }
    if (kinds.size() != agents) {
      throw Error("--numeric " + std::string(text) + " adds up to " + std::to_string(kinds.size()) +
                  " agents, not to --agents " + std::to_string(agents));
    }
  }
  if (std::ranges::count(kinds, Numeric::float32) == std::ssize(kinds)) kinds.clear();
  return kinds;
}

}  // namespace popsgd::sim
