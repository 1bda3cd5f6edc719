#include "agent/setup.h"

#include "agent/swarm_keys.h"
#include "device/interface.h"
#include "key/key_file.h"

#include <popsgd/asio/address_text.h>
#include <popsgd/sim/encoding.h>
#include <popsgd/sim/error.h>

#include <cmath>
#include <string_view>

namespace popsgd::command {
namespace {

using sim::Error;

constexpr double kMostSeconds = 1e9;

void within(std::string_view flag, double value, double most) {
  if (std::isfinite(value) && value >= 0 && value <= most) return;
  throw Error(std::string(flag) + " is a number from 0 to " + std::to_string(static_cast<long long>(most)) +
              ", not " + std::to_string(value));
}

std::uint16_t datagram_from(const std::string& text) {
  if (text == "auto") return net::UdpOptions::automatic;
  const long long bytes = sim::parse_integer(text, "--datagram");
  if (bytes < 256 || bytes > 65507)
    throw Error("--datagram is auto, or from 256 to 65507 bytes, not " + text);
  return static_cast<std::uint16_t>(bytes);
}

/// What of an agent's addresses somebody on another machine may reach, or listen to; empty: nothing.
std::string off_this_machine(const AgentOptions& options) {
  const NodeOptions node = node_from(options);
  if (options.listen.empty()) return "it listens at all addresses";
  if (!discovery::is_loopback(node.listen))
    return "--listen " + options.listen + " is not a loopback address";
  for (std::size_t k = 0; k < node.peers.size(); ++k) {
    if (!discovery::is_loopback(node.peers[k]))
      return "--peer " + options.peers[k] + " is not at a loopback address";
  }
  if (!node.beacons) return {};
  if (node.interfaces.empty()) return "its beacons go out on all interfaces";
  for (const std::string& name : node.interfaces) {
    if (!device::is_loopback_interface(name)) return "--interface " + name + " is not the loopback interface";
  }
  return {};
}

}  // namespace

Part part_from(const AgentOptions& options) {
  if (options.shard == "all") return {};
  const std::size_t slash = options.shard.find('/');
  if (slash != std::string::npos) {
    const std::string_view text = options.shard;
    const long long index = sim::parse_integer(text.substr(0, slash), "--shard");
    const long long parts = sim::parse_integer(text.substr(slash + 1), "--shard");
    if (index >= 1 && index <= parts && parts <= 10'000'000)
      return {static_cast<std::uint32_t>(index - 1), static_cast<std::uint32_t>(parts)};
  }
  throw Error("--shard is all, or K/N for the K-th of N parts, e.g. 3/8; not " + options.shard);
}

sim::Settings learning_from(const AgentOptions& options) {
  SimulateOptions learning = options.learning;
  learning.numeric = "float32";  // a simulation's is for several agents; this one's is numeric_from()'s
  return settings_from(learning);
}

Numeric numeric_from(const AgentOptions& options) {
  const auto numerics = sim::parse_numeric(options.learning.numeric, 1);
  return numerics.empty() ? Numeric::float32 : numerics.front();
}

NodeOptions node_from(const AgentOptions& options) {
  NodeOptions node;
  if (options.transport == "udp")
    node.transport = discovery::Transport::udp;
  else if (options.transport != "tcp")
    throw Error("--transport is tcp or udp, not " + options.transport);
  if (!options.listen.empty()) node.listen = net::parse_address(options.listen);
  for (const std::string& peer : options.peers) node.peers.push_back(net::parse_address(peer));
  node.wires = options.wires;
  node.baud = options.baud;
  node.plain_wires = options.plain_wires;
  if (options.no_discovery && options.peers.empty() && options.listen.empty() && options.wires.empty())
    throw Error(
        "--no-discovery: without --peer or --serial it finds nobody, and without --listen nobody knows where "
        "to find it");
  node.beacons = !options.no_discovery;
  node.loopback = options.loopback;
  node.interfaces = options.interfaces;
  node.datagram = datagram_from(options.datagram);
  node.swarm = discovery::swarm_tag(options.swarm);
  return node;
}

std::optional<secure::SwarmKeys> keys_from(const AgentOptions& options) {
  if (!options.key.empty()) {
    if (options.insecure) throw Error("--key and --insecure contradict each other; leave one of them out");
    SwarmKey key;
    read_key_file(options.key, key);
    return keys_of(key);
  }
  const std::string why = options.insecure ? std::string() : off_this_machine(options);
  if (why.empty()) return {};
  throw Error(why +
              ": make a key by popsgd keygen FILE and say --key FILE, or send plain text by --insecure");
}

TrainingOptions training_from(const AgentOptions& options) {
  within("--rate", options.rate, 1e6);
  if (options.steps < 0) throw Error("--steps is at least 0, not " + std::to_string(options.steps));
  return {options.rate, static_cast<std::uint64_t>(options.steps)};
}

AgentConfig config_from(const AgentOptions& options, const sim::Settings& settings, std::uint64_t fingerprint,
                        std::uint64_t seed) {
  if (options.every < 1 || options.every > 2'700'000)
    throw Error("--every is from 1 to 2700000 ms, not " + std::to_string(options.every));
  const NodeOptions node = node_from(options);
  const bool stream = node.transport == discovery::Transport::tcp;
  AgentConfig config;
  config.seed = seed;
  config.fingerprint = fingerprint;
  config.sgd = settings.sgd;
  config.schedule = settings.schedule;
  config.schedule_counter =
      settings.clock == sim::Clock::gossip ? ScheduleCounter::gossip : ScheduleCounter::own;
  config.mean_wait = static_cast<std::uint32_t>(options.every);
  config.peer_interval = config.mean_wait / 4;
  const std::uint16_t datagram =
      node.datagram == net::UdpOptions::automatic ? net::UdpOptions::most : node.datagram;
  config.largest_frame = stream ? std::uint16_t{65535} : datagram;
  config.window = 32;
  config.peers = 2 * discovery::kHostPeers;
  config.finished = 256;
  config.timing = {.idle = 3000, .in_doubt = 10000};  // a local network: who is silent for so long has gone
  config.guarding.gate = !options.no_gate;
  config.quantise = sim::quantisation_of(settings.encoding);
  return config;
}

std::optional<Privacy::Settings> agent_privacy_from(const AgentOptions& options) {
  const auto privacy = privacy_from(options.learning.privacy);
  if (privacy && options.state.empty())
    throw Error("--privacy-noise wants --state DIR, where what was spent outlasts a restart");
  if (privacy && numeric_from(options) != Numeric::float32)
    throw Error("--privacy-noise is for --numeric float32: integers cannot be given that noise");
  return privacy;
}

std::uint64_t fingerprint_of(const std::string& swarm, const sim::Problem& problem) {
  std::string text = swarm + '\n' + problem.model();
  for (const std::uint32_t width : problem.widths()) text += ' ' + std::to_string(width);
  return discovery::swarm_tag(text + ' ' + std::to_string(problem.parameters()));
}

void check_times(const AgentOptions& options) {
  within("--duration", options.duration, kMostSeconds);
  within("--eval-every", options.eval_every, kMostSeconds);
  within("--report-every", options.report_every, kMostSeconds);
  within("--save-every", options.save_every, kMostSeconds);
  if (options.save_every < 0.1)
    throw Error("--save-every is at least 0.1 s, not " + std::to_string(options.save_every));
}

}  // namespace popsgd::command
