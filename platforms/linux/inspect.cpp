#include "inspect.h"

#include "device/file_store.h"
#include "format.h"
#include "output/atomic_file.h"
#include "output/npy.h"

#include <popsgd/checkpoint.h>
#include <popsgd/inspect.h>
#include <popsgd/model.h>
#include <popsgd/sim/error.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace popsgd::command {
namespace {

namespace fs = std::filesystem;
using checkpoint::Condition;
using checkpoint::Description;
using nlohmann::ordered_json;

constexpr const char* kInspectExamples = R"(
Examples:
  popsgd inspect /var/lib/popsgd
      What an agent has saved, also while it runs: nothing is locked, made or changed.
  popsgd inspect /var/lib/popsgd --export model.npy
      The parameters of the newest checkpoint: numpy.load("model.npy").
  popsgd inspect checkpoint.1 --export model.npy --numeric int16
      The same of one file, and of a model of integers: a checkpoint does not say which they are.
Exit:      0 there is a checkpoint, 1 none is entire, 2 the request cannot be carried out)";

constexpr std::array<std::string_view, 3> kNumerics{"float32", "int16", "int8"};

Numeric numeric_of(const std::string& word) {
  if (word == "float32") return Numeric::float32;
  if (word == "int16") return Numeric::int16;
  if (word == "int8") return Numeric::int8;
  throw sim::Error("--numeric is float32, int16 or int8, not '" + word + "'" + sim::suggest(word, kNumerics));
}

/// A slot that has a file.
struct Slot {
  unsigned number = 0;
  std::string path;
  Description found;
  bool newest = false;  ///< of those that are entire
};

std::vector<Slot> slots_of(device::FileStore& store, const std::string& path) {
  std::vector<Slot> slots;
  for (unsigned number = 0; number < Store::kSlots; ++number) {
    if (!store.present(number)) continue;
    const auto found = checkpoint::describe(store, number);
    if (found.status() == Status::store_failed) throw sim::Error(store.why());
    // A file with less than a page cannot be one: an agent reserves all of its length first.
    if (!found.ok())
      throw sim::Error("'" + path + "' is too short for a checkpoint, which has at least 512 bytes");
    slots.push_back({.number = number, .path = store.path(number), .found = found.value()});
  }
  if (slots.empty())
    throw sim::Error("'" + path +
                     "' has neither checkpoint.0 nor checkpoint.1; give the --state directory of an agent");
  if (slots.size() == 1 && slots[0].path == path && slots[0].found.condition == Condition::foreign)
    throw sim::Error("'" + path + "' is no checkpoint: it does not begin with PopSGD");
  return slots;
}

/// The one that an agent would go on from.
Slot* newest_of(std::vector<Slot>& slots) {
  Slot* newest = nullptr;
  for (Slot& slot : slots) {
    if (slot.found.condition != Condition::entire) continue;
    if (newest == nullptr || checkpoint::newer(slot.found, newest->found)) newest = &slot;
  }
  return newest;
}

bool has_header(const Description& found) {
  return found.condition == Condition::entire || found.condition == Condition::too_long ||
         found.condition == Condition::payload_damaged;
}

const char* condition_name(Condition condition) {
  return condition == Condition::entire ? "entire" : condition == Condition::blank ? "blank" : "damaged";
}

std::string hexadecimal(std::uint64_t value) {
  std::array<char, 19> text{};
  std::snprintf(text.data(), text.size(), "0x%016llx", static_cast<unsigned long long>(value));
  return text.data();
}

/// How many parameters they are as this kind.
std::uint64_t count_as(std::uint32_t parameters, Numeric numeric) {
  return std::uint64_t{4} * parameters / Model::width(numeric);
}

ordered_json json_of(const Slot& slot, Numeric numeric) {
  const Description& found = slot.found;
  ordered_json document{
      {"slot", slot.number}, {"file", slot.path}, {"condition", condition_name(found.condition)}};
  document["reason"] = nullptr;
  if (found.condition != Condition::entire) document["reason"] = text(found.condition);
  document["newest"] = slot.newest;
  if (!has_header(found)) return document;
  document["sequence"] = found.sequence;
  document["fingerprint"] = hexadecimal(found.fingerprint);
  document["parameters"] = count_as(found.parameters, numeric);
  document["records_bytes"] = found.records;
  if (found.condition != Condition::entire) return document;
  document["step_counter"] = found.steps.steps();
  document["agent"] = nullptr;
  if (!found.agent) return document;
  document["agent"] = {
      {"version", found.agent->version},          {"fresh", found.agent->fresh},
      {"local_steps", found.agent->steps},        {"last_update_rms", found.agent->last_update},
      {"finished_places", found.agent->finished}, {"gates", found.agent->gates},
      {"gate_length", found.agent->gate_length},  {"step_estimates", found.agent->estimates}};
  return document;
}

std::string json_text(const std::vector<Slot>& slots, const std::string& path, Numeric numeric) {
  ordered_json document{{"path", path}, {"numeric", kNumerics[static_cast<std::size_t>(numeric)]}};
  document["slots"] = ordered_json::array();
  for (const Slot& slot : slots) document["slots"].push_back(json_of(slot, numeric));
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string agent_text(const Description& found) {
  if (found.records == 0) return "none";
  if (!found.agent) return thousands(found.records) + " bytes, not an agent's of this version";
  const auto& agent = *found.agent;
  return thousands(found.records) + " bytes; places for exchanges " + thousands(agent.finished) + ", gates " +
         thousands(agent.gates) + " (a gate: " + thousands(agent.gate_length) +
         " parameters), step estimates " + thousands(agent.estimates);
}

std::string slot_text(const Slot& slot, Numeric numeric) {
  const Description& found = slot.found;
  std::string all = slot.path + ": " + condition_name(found.condition);
  const bool reason = found.condition != Condition::entire && found.condition != Condition::blank;
  if (reason) all += ", " + std::string(text(found.condition));
  all += slot.newest ? ", the newest\n" : "\n";
  const auto line = [&](const char* name, const std::string& value) {
    all += "  " + std::string(name) + std::string(14 - std::string_view(name).size(), ' ') + value + "\n";
  };
  if (!has_header(found)) return all;
  line("sequence", thousands(found.sequence));
  line("fingerprint", hexadecimal(found.fingerprint));
  line("parameters", thousands(count_as(found.parameters, numeric)) + " as " +
                         std::string(kNumerics[static_cast<std::size_t>(numeric)]));
  if (found.condition != Condition::entire) return all;
  line("step counter", fixed(found.steps.steps(), 2));
  if (found.agent)
    line("local steps", thousands(found.agent->steps) +
                            (found.agent->fresh ? "; fresh: takes over its next partner's model" : ""));
  line("records", agent_text(found));
  return all;
}

/// Before anything is read: that the file may be written.
void check_export(const InspectOptions& options, const std::vector<Slot>& slots) {
  std::error_code ignored;
  for (const Slot& slot : slots) {
    if (fs::equivalent(options.export_to, slot.path, ignored))
      throw sim::Error("--export '" + options.export_to + "' is the checkpoint itself; name another file");
  }
  if (!options.force && fs::exists(fs::symlink_status(options.export_to, ignored)))
    throw sim::Error("'" + options.export_to + "' exists; --force overwrites it");
}

/// Loads what load() takes for the newest, so that it is checked once more as it is read.
void export_parameters(device::FileStore& store, const Slot& newest, Numeric numeric, const std::string& to) {
  std::vector<std::byte> bytes(std::size_t{4} * newest.found.parameters);
  const auto loaded = checkpoint::load(store, newest.found.fingerprint, std::span<std::byte>(bytes), {});
  if (loaded.status() == Status::store_failed) throw sim::Error(store.why());
  if (!loaded.ok()) throw sim::Error("'" + newest.path + "': " + std::string(text(loaded.status())));
  write_file_atomically(to, npy(bytes, numeric));
}

}  // namespace

void declare_inspect(CLI::App& app, InspectOptions& o) {
  app.footer(kInspectExamples);
  app.add_option("path", o.path, "The directory of an agent's state, or one checkpoint")
      ->type_name("CHECKPOINT")
      ->required();
  app.add_flag("--json", o.json, "Print it as JSON");
  app.add_option("--export", o.export_to, "Write the parameters of the newest checkpoint there, for NumPy")
      ->type_name("FILE.npy");
  app.add_option("--numeric", o.numeric,
                 "What the parameters are: float32, int16 or int8. An integer model's last may be zeros that "
                 "fill up 4 bytes")
      ->capture_default_str();
  app.add_flag("--force", o.force, "Overwrite the file of --export");
}

int inspect(const InspectOptions& options) {
  const Numeric numeric = numeric_of(options.numeric);
  device::FileStore store;
  if (store.open_to_read(options.path) != Status::ok) throw sim::Error(store.why());
  std::vector<Slot> slots = slots_of(store, options.path);
  Slot* newest = newest_of(slots);
  if (newest != nullptr) newest->newest = true;
  if (!options.export_to.empty()) {
    check_export(options, slots);
    if (newest == nullptr)
      throw sim::Error("nothing to export: no checkpoint in '" + options.path + "' is entire");
    export_parameters(store, *newest, numeric, options.export_to);
  }
  std::string all;
  for (const Slot& slot : slots) all += slot_text(slot, numeric);
  std::fputs((options.json ? json_text(slots, options.path, numeric) : all).c_str(), stdout);
  return newest != nullptr ? 0 : 1;
}

}  // namespace popsgd::command
