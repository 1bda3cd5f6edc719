#include "roster.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace mixed_swarm {
namespace {

constexpr int kAgents = 7;  // among which rows are dealt out, by class
constexpr int kShares = 5;  // of classes, of which a board sees one: two digits

struct Emulator {
  const char* preset;
  std::vector<std::string> words;
};

// As the toolchains' files say.
const std::array<Emulator, 4> kEmulators{{
    {"release", {}},
    {"aarch64", {"qemu-aarch64", "-cpu", "cortex-a53", "-L", "/usr/aarch64-linux-gnu"}},
    {"armv7", {"qemu-arm", "-cpu", "cortex-a7", "-L", "/usr/arm-linux-gnueabihf"}},
    {"armv6", {"qemu-arm", "-cpu", "arm1176", "-L", "/usr/arm-linux-gnueabi"}},
}};

std::string build(const Plan& plan, const std::string& preset) {
  return plan.source + "/build/" + preset;
}

std::string popsgd(const Plan& plan, const std::string& preset) {
  return build(plan, preset) + "/platforms/linux/popsgd";
}

std::string samples(const Plan& plan) {
  return build(plan, "release") + "/platforms/cortex_m/firmware/popsgd_samples";
}

// Boards on the network need secure links; a wire is its owner's.
std::string preset_of(const std::string& core) {
  return "cortex-" + core + (core == "m0plus" ? "" : "-secure");
}

std::string watched(const Plan& plan, const std::string& core) {
  return build(plan, preset_of(core)) + "/platforms/cortex_m/firmware/popsgd_watched";
}

std::string key_file(const Plan& plan) {
  return plan.scratch + "/swarm.key";
}

// As boards take it: the file's line that is no comment.
std::string key_text(const Plan& plan) {
  std::ifstream file(key_file(plan));
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line.front() != '#') return line;
  throw std::runtime_error("there is no key in " + key_file(plan));
}

void do_or_throw(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("this failed: " + command);
}

Node agent(const Plan& plan, int number, const std::string& name, const std::string& machine,
           const Emulator& on, const std::string& numeric) {
  std::vector<std::string> words = on.words;
  const std::string shard = std::to_string(number) + "/" + std::to_string(kAgents);
  for (const std::string& word :
       {popsgd(plan, on.preset), std::string("agent"), std::string("--data"),
        plan.scratch + "/digits.csv:standardise=none", std::string("--model"), std::string("softmax"),
        std::string("--swarm"), std::string("digits"), std::string("--numeric"), numeric,
        std::string("--shard"), shard, std::string("--shards"), std::string("labels:2"),
        std::string("--listen"), std::string("127.0.0.1:0"), std::string("--key"), key_file(plan)})
    words.push_back(word);
  for (const char* word : {"--batch", "1", "--lr", "0.05", "--rate", "20", "--every", "500", "--no-gate",
                           "--quantize", "auto", "--report-every", "1", "--eval-every", "1", "--duration"})
    words.emplace_back(word);
  words.push_back(std::to_string(plan.seconds + 60));
  return {name, machine, numeric, "2 or 3", "TCP", {words, {}, plan.scratch}};
}

Node board(const Plan& plan, int share, const std::string& name, const std::string& core,
           const std::string& machine, const std::string& numeric, const std::string& link,
           const std::vector<std::string>& more) {
  const std::string part = std::to_string(share) + "/" + std::to_string(kShares);
  const std::string sees = std::to_string(share) + " and " + std::to_string(share + kShares);
  std::vector<std::string> words{plan.source + "/toolchains/qemu-board",
                                 machine,
                                 watched(plan, core),
                                 "data=digits",
                                 "numeric=" + numeric,
                                 "share=" + part,
                                 "seconds=" + std::to_string(plan.seconds),
                                 "step=50",
                                 "meet=500"};
  words.insert(words.end(), more.begin(), more.end());
  const std::string home = plan.scratch + "/" + name;  // its flash is a file
  std::filesystem::create_directories(home);
  return {name, machine, numeric, sees, link, {words, {}, home}};
}

}  // namespace

std::vector<Node> native_agents(const Plan& plan) {
  std::vector<Node> agents{agent(plan, 1, "laptop", "x86-64", kEmulators[0], "float32"),
                           agent(plan, 2, "gateway", "x86-64", kEmulators[0], "int16")};
  for (Node& node : agents) {
    node.command.words.insert(node.command.words.end(), {"--interface", "lo"});
    node.link += ", found by beacons";
  }
  return agents;
}

std::vector<Node> emulated_agents(const Plan& plan, const std::string& peer) {
  std::vector<Node> agents{agent(plan, 3, "pi4", "aarch64", kEmulators[1], "float32"),
                           agent(plan, 4, "jetson", "aarch64", kEmulators[1], "int16"),
                           agent(plan, 5, "pi2", "armv7", kEmulators[2], "float32"),
                           agent(plan, 6, "pi2-b", "armv7", kEmulators[2], "int8"),
                           agent(plan, 7, "pi-zero", "armv6", kEmulators[3], "int16")};
  for (Node& node : agents)
    node.command.words.insert(node.command.words.end(), {"--no-discovery", "--peer", peer});
  return agents;
}

std::vector<Node> boards(const Plan& plan, const std::vector<std::string>& ports) {
  const std::string key = "key=" + key_text(plan);
  const auto calls = [&](std::size_t k) {
    return std::vector<std::string>{key, "peer=10.0.2.2:" + ports[k % ports.size()],
                                    "peer=10.0.2.2:" + ports[(k + 1) % ports.size()]};
  };
  std::vector<Node> boards{
      board(plan, 0, "m3", "m3", "mps2-an385", "int16", "Ethernet, and the wire of m0", calls(0)),
      board(plan, 1, "m4f", "m4f", "mps2-an386", "float32", "Ethernet", calls(1)),
      board(plan, 2, "m4f-b", "m4f", "mps2-an386", "int16", "Ethernet", calls(2)),
      board(plan, 3, "m7", "m7", "mps2-an500", "float32", "Ethernet", calls(3)),
      board(plan, 4, "m33", "m33", "mps2-an505", "int16", "Ethernet", calls(4))};
  for (Node& node : boards) node.command.environment["QEMU_BOARD_OPTIONS"] = "-nic user";
  const std::string wire = plan.scratch + "/wire";
  boards[0].command.environment["QEMU_BOARD_SERIAL"] = "unix:" + wire + ",server=on,wait=off";
  boards.push_back(board(plan, 1, "m0", "m0plus", "microbit", "int16", "a wire to m3", {}));
  boards.back().command.environment["QEMU_BOARD_SERIAL"] = "unix:" + wire;
  return boards;
}

std::vector<std::string> missing(const Plan& plan) {
  std::vector<std::string> missing;
  const auto need = [&](const std::string& file, const std::string& preset, const std::string& target) {
    if (!std::filesystem::exists(file))
      missing.push_back(file + "\n  cmake --preset " + preset + " && cmake --build --preset " + preset +
                        " --target " + target);
  };
  for (const Emulator& on : kEmulators) need(popsgd(plan, on.preset), on.preset, "popsgd");
  need(samples(plan), "release", "popsgd_samples");
  for (const char* core : {"m0plus", "m3", "m4f", "m7", "m33"})
    need(watched(plan, core), preset_of(core), "popsgd_watched");
  return missing;
}

void write_digits(const Plan& plan) {
  do_or_throw("'" + samples(plan) + "' digits 2100 1 >'" + plan.scratch + "/digits.csv'");
}

void write_key(const Plan& plan) {
  do_or_throw("'" + popsgd(plan, "release") + "' keygen '" + key_file(plan) + "' >/dev/null");
}

}  // namespace mixed_swarm
