#include "config_file.h"

#include <popsgd/sim/error.h>

#include <sstream>
#include <string>

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

class Toml final : public CLI::Config {
 public:
  std::string to_config(const CLI::App*, bool, bool, std::string) const override { return {}; }

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    std::vector<CLI::ConfigItem> read;
    const toml::table table = parse(input);
    for (const auto& [key, value] : table) {
      CLI::ConfigItem item;
      item.name = std::string(key.str());
      if (const auto* list = value.as_array()) {
        for (const toml::node& entry : *list) item.inputs.push_back(word(item.name, entry));
      } else {
        item.inputs = {word(item.name, value)};
      }
      read.push_back(std::move(item));
    }
    return read;
  }

 private:
  static toml::table parse(std::istream& input) {
    try {
      return toml::parse(input);
    } catch (const toml::parse_error& error) {
      throw CLI::ConfigError(where(error.source()) + ": " + std::string(error.description()));
    }
  }
};

}  // namespace

void declare_config_file(CLI::App& app) {
  app.set_config("--config", "", "These options from a TOML file; a flag wins over it")->type_name("FILE");
  app.config_formatter(std::make_shared<Toml>());
  app.allow_config_extras(CLI::config_extras_mode::error);
}

}  // namespace popsgd::command
