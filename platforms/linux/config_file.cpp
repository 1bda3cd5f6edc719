#include "config_file.h"

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <toml++/toml.h>

namespace popsgd::command {
namespace {

using CLI::ConfigError;

std::string where(const std::string& path, const toml::source_region& source) {
  return "--config " + path + ", line " + std::to_string(source.begin.line) + ", column " +
         std::to_string(source.begin.column) + ": ";
}

// As it would be typed.
std::string word(const std::string& at, const std::string& key, const toml::node& value) {
  if (const auto* text = value.as_string()) return text->get();
  std::ostringstream out;
  out << std::boolalpha;
  if (const auto* integer = value.as_integer()) {
    out << integer->get();
  } else if (const auto* real = value.as_floating_point()) {
    out << real->get();
  } else if (const auto* truth = value.as_boolean()) {
    out << truth->get();
  } else {
    throw ConfigError(at + key + " is a text, a number, true or false, or a list of texts; not this");
  }
  return out.str();
}

std::vector<std::string> words(const std::string& at, const std::string& key, const toml::node& value) {
  const auto* list = value.as_array();
  if (list == nullptr) return {word(at, key, value)};
  std::vector<std::string> all;
  for (const toml::node& entry : *list) all.push_back(word(at, key, entry));
  return all;
}

toml::table read(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw ConfigError("--config " + path + ": there is no such file, or it cannot be read");
  try {
    return toml::parse(file, path);
  } catch (const toml::parse_error& error) {
    throw ConfigError(where(path, error.source()) + std::string(error.description()));
  }
}

void take_from(CLI::App& app, const std::string& path) {
  for (const auto& [name, value] : read(path)) {
    const std::string key(name.str());
    const std::string at = where(path, name.source());
    CLI::Option* option = app.get_option_no_throw("--" + key);
    if (option == nullptr || key == "config" || key == "help")
      throw ConfigError(at + "popsgd " + app.get_name() + " has no option " + key);
    if (option->count() > 0) continue;  // the flag wins
    try {
      option->add_result(words(at, key, value));
      option->run_callback();
    } catch (const ConfigError&) {
      throw;
    } catch (const CLI::ParseError& error) {
      throw ConfigError(at + error.what());
    }
  }
}

}  // namespace

void declare_config_file(CLI::App& app) {
  const auto path = std::make_shared<std::string>();
  app.add_option("--config", *path, "These options from a TOML file; a flag wins over it")->type_name("FILE");
  app.final_callback([&app, path] {
    if (!path->empty()) take_from(app, *path);
  });
}

}  // namespace popsgd::command
