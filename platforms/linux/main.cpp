// The popsgd command.
#include "agent.h"
#include "doctor.h"
#include "inspect.h"
#include "keys.h"
#include "reproduce.h"
#include "simulate.h"
#include "swarm.h"

#include <popsgd/asio/error.h>
#include <popsgd/sim/error.h>
#include <popsgd/version.h>

#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include <CLI/CLI.hpp>

namespace {

constexpr int kBadRequest = 2;

std::string command_line(int argc, char** argv) {
  std::string line = "popsgd";
  for (int k = 1; k < argc; ++k) line += std::string(" ") + argv[k];
  return line;
}

int run(int argc, char** argv) {
  CLI::App app("popsgd: devices that learn together without a server (PopSGD, arXiv 1910.12308)");
  app.set_version_flag("--version", "popsgd " POPSGD_VERSION);
  app.require_subcommand(1);

  popsgd::command::SimulateOptions simulate;
  simulate.command = command_line(argc, argv);
  CLI::App& simulate_app = *app.add_subcommand("simulate", "A swarm learns on this machine");
  popsgd::command::declare_simulate(simulate_app, simulate);
  popsgd::command::ReproduceOptions reproduce;
  reproduce.command = simulate.command;
  CLI::App& reproduce_app = *app.add_subcommand("reproduce", "Re-does the claims of the paper");
  popsgd::command::declare_reproduce(reproduce_app, reproduce);
  popsgd::command::AgentOptions agent;
  CLI::App& agent_app = *app.add_subcommand("agent", "One device of a swarm, on this machine's network");
  popsgd::command::declare_agent(agent_app, agent);
  popsgd::command::SwarmOptions swarm;
  swarm.command = simulate.command;
  CLI::App& swarm_app = *app.add_subcommand("swarm", "Many agents, each a process, on this machine");
  popsgd::command::declare_swarm(swarm_app, swarm);
  popsgd::command::InspectOptions inspect;
  CLI::App& inspect_app = *app.add_subcommand("inspect", "Shows what is in a device's checkpoints");
  popsgd::command::declare_inspect(inspect_app, inspect);
  popsgd::command::KeygenOptions keygen;
  CLI::App& keygen_app = *app.add_subcommand("keygen", "Makes the key of a new swarm");
  popsgd::command::declare_keygen(keygen_app, keygen);
  popsgd::command::EnrollOptions enroll;
  CLI::App& enroll_app = *app.add_subcommand("enroll", "Takes the key of a swarm to another device");
  popsgd::command::declare_enroll(enroll_app, enroll);
  popsgd::command::RotateOptions rotate;
  CLI::App& rotate_app = *app.add_subcommand("rotate", "The next epoch of a swarm's key, or a new one");
  popsgd::command::declare_rotate(rotate_app, rotate);
  popsgd::command::AgentOptions doctor;
  CLI::App& doctor_app = *app.add_subcommand("doctor", "Says what would stop this device from joining");
  popsgd::command::declare_doctor(doctor_app, doctor);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::fprintf(stderr, "popsgd: %s (popsgd --help lists what there is)\n", error.what());
    return kBadRequest;
  }
  if (agent_app.parsed()) return popsgd::command::agent(agent);
  if (swarm_app.parsed()) return popsgd::command::swarm(swarm);
  if (inspect_app.parsed()) return popsgd::command::inspect(inspect);
  if (keygen_app.parsed()) return popsgd::command::keygen(keygen);
  if (enroll_app.parsed()) return popsgd::command::enroll(enroll);
  if (rotate_app.parsed()) return popsgd::command::rotate(rotate);
  if (doctor_app.parsed()) return popsgd::command::doctor(doctor);
  return reproduce_app.parsed() ? popsgd::command::reproduce(reproduce) : popsgd::command::simulate(simulate);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const popsgd::sim::Error& error) {
    std::fprintf(stderr, "popsgd: %s\n", error.what());
  } catch (const popsgd::net::Error& error) {
    std::fprintf(stderr, "popsgd: %s\n", error.what());
  } catch (const std::bad_alloc&) {
    std::fputs("popsgd: not enough memory for this request; use fewer agents, a smaller model or less data\n",
               stderr);
  }
  return kBadRequest;
}
