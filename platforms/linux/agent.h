// popsgd agent: one device of a swarm, on this machine's network.
#pragma once

#include "simulate.h"

#include <cstdint>
#include <string>
#include <vector>

namespace popsgd::command {

/// What `popsgd agent` was asked for, as it was typed or read from its file.
struct AgentOptions {
  SimulateOptions learning;   ///< data, model, batch, lr, schedule, ... as for a simulation
  std::string shard = "all";  ///< K/N: the K-th of N parts of the rows; all of them
  std::string swarm = "popsgd";
  std::string transport = "tcp";
  std::string listen;  ///< empty: any address, any port
  std::vector<std::string> peers;
  std::vector<std::string> wires;  ///< serial ports
  bool plain_wires = false;        ///< also with a key
  std::uint32_t baud = 115200;     ///< of these
  std::vector<std::string> interfaces;
  std::string datagram = "1200";
  std::string key;      ///< file; empty: plain text
  std::string state;    ///< directory; empty: nothing is kept
  std::string metrics;  ///< empty: not served
  double rate = 0;      ///< steps a second; 0: as many as there is time for
  std::int64_t steps = 0;
  double duration = 0;        ///< seconds; 0: until a signal
  std::int64_t every = 1000;  ///< ms between two offers of an exchange, on average
  double save_every = 60;     ///< seconds
  double eval_every = 5;      ///< seconds
  double report_every = 0;    ///< seconds; 0: 1 on a terminal, else 10
  bool no_discovery = false;
  bool loopback = false;
  bool insecure = false;  ///< plain text although others could reach it
  bool no_gate = false;
};

/// Declares what all agents of a swarm are told alike.
void declare_meeting(CLI::App& app, AgentOptions& options);

/// Declares the subcommand's options; `options` must outlive the parsing.
void declare_agent(CLI::App& app, AgentOptions& options);

/// Runs it until its duration, its steps or a signal. Returns the exit status: 0, or 1 when the model stopped being
/// finite or the last checkpoint could not be saved. Throws sim::Error or net::Error for a request that cannot be
/// carried out, with nothing overwritten.
int agent(const AgentOptions& options);

}  // namespace popsgd::command
