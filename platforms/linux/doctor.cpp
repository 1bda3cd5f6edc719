#include "doctor.h"

#include "doctor/checks.h"

#include <cstdio>

#include <CLI/CLI.hpp>

namespace popsgd::command {
namespace {

constexpr const char* kDoctorExamples = R"(
Examples:
  popsgd doctor --key swarm.key
  popsgd doctor --config /etc/popsgd/agent.toml --state /var/lib/popsgd
      Say it with the words that popsgd agent is started with, as the user it runs as, while it does not run.
      A beacon's way is tried on this machine; no switch between it and others is.
Exit: 0 nothing would stop the agent, 1 something would, 2 the request cannot be carried out)";

const char* word(Diagnosis::Grade grade) {
  return grade == Diagnosis::Grade::fine ? "ok" : grade == Diagnosis::Grade::note ? "note" : "STOPS";
}

}  // namespace

void declare_doctor(CLI::App& app, AgentOptions& o) {
  declare_agent(app, o);
  app.footer(kDoctorExamples);
}

int doctor(const AgentOptions& options) {
  int stops = 0;
  for (const Diagnosis& finding : examine(options)) {
    std::printf("%-6s %-12s %s\n", word(finding.grade), finding.what.c_str(), finding.text.c_str());
    if (finding.grade == Diagnosis::Grade::stops) ++stops;
  }
  if (stops == 0)
    std::printf("Nothing stops this device from joining swarm %s.\n", options.swarm.c_str());
  else
    std::printf("%d of these would stop this device from joining swarm %s.\n", stops, options.swarm.c_str());
  return stops == 0 ? 0 : 1;
}

}  // namespace popsgd::command
