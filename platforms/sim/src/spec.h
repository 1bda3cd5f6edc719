// Specs such as "small-world:4,0.1": a name, a colon, arguments.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace popsgd::sim {

/// A spec taken apart. The views point into the text it was parsed from.
struct Spec {
  std::string_view name;
  std::vector<std::string_view> arguments;
};

/// Parses `text` as one of `forms`, which are examples of every valid spec ("ring", "small-world:4,0.1").
/// As many arguments are expected as the example has; the last takes all that follows, commas included, so
/// that a path may contain them. `what` ("topology") names the text in errors.
/// Throws Error on a name not among the forms or on missing or superfluous arguments.
[[nodiscard]] Spec parse_spec(std::string_view what, std::string_view text,
                              std::span<const std::string_view> forms);

}  // namespace popsgd::sim
