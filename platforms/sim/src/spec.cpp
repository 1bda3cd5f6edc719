#include "spec.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <cstddef>
#include <string>

namespace popsgd::sim {
namespace {

std::string_view name_of(std::string_view text) {
  return text.substr(0, text.find(':'));
}

std::string_view form_named(std::string_view what, std::string_view name,
                            std::span<const std::string_view> forms) {
  const auto form = std::ranges::find(forms, name, name_of);
  if (form != forms.end()) return *form;

  std::vector<std::string_view> names;
  std::string list;
  for (const std::string_view known : forms) {
    names.push_back(name_of(known));
    list.append(list.empty() ? "" : ", ").append(known);
  }
  throw Error("unknown " + std::string(what) + " '" + std::string(name) + "'" + suggest(name, names) +
              " (known: " + list + ")");
}

/// "name" has no arguments, "name:a" one, "name:a,b" two.
std::ptrdiff_t argument_count(std::string_view form) {
  return form.find(':') == std::string_view::npos ? 0 : 1 + std::ranges::count(form, ',');
}

std::vector<std::string_view> split(std::string_view list, std::ptrdiff_t parts) {
  std::vector<std::string_view> result;
  while (--parts > 0 && list.find(',') != std::string_view::npos) {
    result.push_back(list.substr(0, list.find(',')));
    list.remove_prefix(list.find(',') + 1);
  }
  result.push_back(list);
  return result;
}

}  // namespace

Spec parse_spec(std::string_view what, std::string_view text, std::span<const std::string_view> forms) {
  Spec spec{.name = name_of(text), .arguments = {}};
  const std::string_view form = form_named(what, spec.name, forms);
  const std::ptrdiff_t expected = argument_count(form);

  if (const bool has_colon = spec.name.size() < text.size(); has_colon)
    spec.arguments = split(text.substr(spec.name.size() + 1), expected);
  if (std::ssize(spec.arguments) != expected || std::ranges::count(spec.arguments, "") > 0)
    throw Error(std::string(what) + " '" + std::string(text) + "' must have the form " + std::string(form));
  return spec;
}

}  // namespace popsgd::sim
