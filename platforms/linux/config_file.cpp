#include "config_file.h"

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <toml++/toml.h>

namespace popsgd::command {
namespace {

std::string where(const toml::source_region& source) {
  return "line " + std::to_string(source.begin.line) + ", column " + std::to_string(source.begin.column);
}

// As it would be typed.
std::string word(const std::string& key, const toml::node& value) {
  if (const auto* text = value.as_string()) return text->get();
  if (!value.is_number() && !value.is_boolean())
    throw CLI::ConfigError(where(value.source()) + ": " + key +
                           " is neither a text, a number, true or false, nor a list of these");
  std::ostringstream out;
  value.visit([&](const auto& node) {
    if constexpr (toml::is_boolean<decltype(node)>) out << (node.get() ? "true" : "false");
    if constexpr (toml::is_integer<decltype(node)>) out << node.get();
    if constexpr (toml::is_floating_point<decltype(node)>) out << node.get();
  });
  return out.str();
}

toml::table parse(const std::string& path) {
  try {
    return toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    const bool unread = error.source().begin.line == 0;
    throw CLI::ConfigError(unread ? std::string(error.description())
                                  : where(error.source()) + ": " + std::string(error.description()));
  }
}

std::vector<std::string> words(const std::string& key, const toml::node& value) {
  const auto* list = value.as_array();
  if (list == nullptr) return {word(key, value)};
  std::vector<std::string> all;
  for (const toml::node& entry : *list) all.push_back(word(key, entry));
  return all;
}

void take(CLI::App& app, const std::string& key, const toml::node& value) {
  CLI::Option* const option = app.get_option_no_throw("--" + key);
  if (option == nullptr || !option->get_configurable())
    throw CLI::ConfigError(where(value.source()) + ": there is no option --" + key);
  const std::vector<std::string> given = words(key, value);
  if (!option->empty()) return;
  const bool flag = option->get_expected_max() == 0;
  if (flag && !value.is_boolean())
    throw CLI::ConfigError(where(value.source()) + ": " + key + " is true or false");
  try {
    for (const std::string& text : given)
      option->add_result(flag ? option->get_flag_value("--" + key, text) : text);
    option->run_callback();
  } catch (const CLI::ParseError& error) {
    throw CLI::ConfigError(where(value.source()) + ": " + error.what());
  }
}

void read(CLI::App& app, const std::string& path) try {
  for (const auto& [key, value] : parse(path)) take(app, std::string(key.str()), value);
} catch (const CLI::ParseError& error) {
  throw CLI::ConfigError(path + ": " + error.what());
}

}  // namespace

// CLI11 reads files for its outermost command only.
void declare_config_file(CLI::App& app) {
  const auto path = std::make_shared<std::string>();
  app.add_option("--config", *path, "These options from a TOML file; a flag wins over it")
      ->type_name("FILE")
      ->configurable(false);
  app.parse_complete_callback([&app, path] {
    if (!path->empty()) read(app, *path);
  });
}

}  // namespace popsgd::command
