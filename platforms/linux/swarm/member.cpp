#include "swarm/member.h"

#include <nlohmann/json.hpp>

namespace popsgd::command {
namespace {

using nlohmann::json;

void take(const json& event, const char* name, std::uint64_t& into) {
  if (const auto found = event.find(name); found != event.end() && found->is_number_unsigned())
    into = found->get<std::uint64_t>();
}

bool truth(const json& event, const char* name) {
  const auto found = event.find(name);
  return found != event.end() && found->is_boolean() && found->get<bool>();
}

std::string word(const json& event, const char* name) {
  const auto found = event.find(name);
  return found != event.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Null is "not known any more", which leaves what was known before.
void take(const json& event, const char* name, double& into) {
  if (const auto found = event.find(name); found != event.end() && found->is_number())
    into = found->get<double>();
}

}  // namespace

void Member::hear(std::string_view line) {
  const json event = json::parse(line, nullptr, false);
  if (!event.is_object()) return;
  const std::string kind = word(event, "event");
  if (kind == "listening") begun = true;
  if (kind != "status" && kind != "result") return;
  take(event, "steps", steps);
  take(event, "loss", loss);
  take(event, "accuracy", accuracy);
  take(event, "test_accuracy", accuracy);
  take(event, "peers", peers);
  take(event, "links", links);
  take(event, "completed", completed);
  take(event, "cut_short", cut_short);
  take(event, "retries", retries);
  take(event, "refused", refused);
  take(event, "in_doubt", in_doubt);
  take(event, "bytes_sent", bytes_sent);
  settled = truth(event, "settled");
}

}  // namespace popsgd::command
