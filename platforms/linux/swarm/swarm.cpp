#include "swarm.h"

#include "agent/setup.h"
#include "format.h"
#include "learning.h"
#include "output/atomic_file.h"
#include "results.h"
#include "swarm/models.h"
#include "swarm/processes.h"
#include "swarm/state.h"

#include <popsgd/sim/error.h>
#include <popsgd/sim/measure.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

namespace popsgd::command {
namespace {

constexpr const char* kSwarmExamples = R"(
Examples:
  popsgd swarm 8
      eight agents learn Fashion-MNIST, each from an eighth of it, until Ctrl-C
  popsgd swarm 8 --steps 2000 --rate 50 --every 40 --out report
      report/report.html shows how it went, as after popsgd simulate
  popsgd swarm 16 --numeric float32:8,int16:8 --quantize 4 --transport udp --duration 60
  popsgd swarm 8 --state swarm-of-8
      goes on where it ended last
Exit: 0 done or stopped by a signal, 1 an agent died or the models stopped being finite,
2 the request cannot be carried out)";

constexpr std::int64_t kMostAgents = 128;
constexpr double kShare = 0.05;             // of the time for measuring, at most
constexpr std::size_t kMeasurements = 200;  // kept, at most

sim::Settings swarm_settings(const SwarmOptions& options) {
  if (options.agents < 1 || options.agents > kMostAgents)
    throw sim::Error("popsgd swarm wants a number of agents from 1 to " + std::to_string(kMostAgents) +
                     ", not " + std::to_string(options.agents));
  check_times(options.agent);
  static_cast<void>(training_from(options.agent));
  sim::Settings settings = learning_from(options.agent);
  settings.agents = static_cast<std::uint32_t>(options.agents);
  settings.merge = sim::Merge::delta;
  settings.numerics = sim::parse_numeric(options.agent.learning.numeric, settings.agents);
  return settings;
}

AgentOptions named(AgentOptions options, const std::string& swarm) {
  options.swarm = swarm;
  return options;
}

// What was typed and is an agent's affair, too, as it was typed.
std::vector<std::string> passed_on(const CLI::App& app) {
  constexpr std::array<std::string_view, 6> kOwn{"help", "data", "numeric", "state", "out", "json"};
  std::vector<std::string> words;
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0 || option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames().front();
    if (std::ranges::find(kOwn, name) != kOwn.end()) continue;
    if (option->get_expected_max() == 0)
      words.push_back("--" + name);
    else
      for (const std::string& value : option->results()) words.push_back("--" + name + "=" + value);
  }
  return words;
}

class Swarm {
 public:
  explicit Swarm(const SwarmOptions& options);
  int run();

 private:
  [[nodiscard]] std::vector<std::string> words(std::uint32_t index) const;
  void load();
  void measure(double budget);
  void measure_if_due();
  [[nodiscard]] std::uint64_t sum(std::uint64_t Member::*what) const;
  [[nodiscard]] std::string exchanges() const;
  [[nodiscard]] int finish();

  const SwarmOptions& options_;
  const std::string data_;
  sim::Settings settings_;
  const sim::Problem problem_;
  SwarmState state_;
  const AgentOptions agent_;
  Models models_;
  Processes processes_;  // before the workers: their threads leave signals to it
  sim::Workers workers_{std::max(1U, std::thread::hardware_concurrency())};
  sim::Meter meter_{problem_, workers_};
  sim::Outcome outcome_{};
  double between_;       // seconds between two measurements
  double measured_ = 0;  // when it was, last
};

Swarm::Swarm(const SwarmOptions& options)
    : options_(options),
      data_(data_or_default(options.agent.learning.data)),
      settings_(swarm_settings(options)),
      problem_(sim::DataSpec::parse(data_), model_or_default(options.agent.learning, data_), settings_.seed),
      state_(options.agent.state),
      agent_(named(options.agent, state_.name())),
      models_(agent_, settings_, problem_),
      between_(options.agent.save_every) {}

std::vector<std::string> Swarm::words(std::uint32_t index) const {
  const auto numeric = settings_.numerics.empty() ? Numeric::float32 : settings_.numerics[index];
  std::vector<std::string> words{
      "popsgd", "agent", "--loopback", "--interface=lo", "--listen=127.0.0.1:0", "--report-every=1"};
  words.push_back("--data=" + data_);
  words.push_back("--swarm=" + state_.name());
  words.push_back("--state=" + state_.of_agent(index).string());
  words.push_back("--shard=" + std::to_string(index + 1) + "/" + std::to_string(settings_.agents));
  words.push_back("--numeric=" + std::string(sim::text(numeric)));
  words.push_back("--save-every=" + std::to_string(agent_.save_every));
  const std::vector<std::string> more = passed_on(*options_.app);
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

int Swarm::run() {
  load();
  measure(sim::Meter::kGlance);
  for (std::uint32_t k = 0; k < settings_.agents; ++k) processes_.start(words(k));
  processes_.serve(agent_.duration, [this] { measure_if_due(); });
  return finish();
}

void Swarm::load() {
  for (std::uint32_t k = 0; k < settings_.agents; ++k) models_.load(k, state_.of_agent(k));
}

// The models are those of the last checkpoints, and so are the numbers of steps; exchanges are counted until now.
void Swarm::measure(double budget) {
  const double start = processes_.seconds();
  sim::Account& spent = models_.spent();
  spent.gradient_evaluations = models_.steps();
  spent.interactions = sum(&Member::completed) / 2;
  spent.models_sent = sum(&Member::completed);
  spent.wrapped = sum(&Member::retries) / 2;
  spent.bytes = sum(&Member::bytes_sent);
  spent.parallel_time = 2 * static_cast<double>(spent.interactions) / settings_.agents;
  sim::Measurement result = meter_.measure(models_, budget);
  result.rate = models_.rate();
  if (!std::isfinite(result.mean_model.loss) && !outcome_.diverged_at)
    outcome_.diverged_at = spent.interactions;
  outcome_.measurements.push_back(std::move(result));
  measured_ = processes_.seconds();
  outcome_.measuring_seconds += measured_ - start;
  between_ = std::max(between_, (measured_ - start) / kShare);
}

void Swarm::measure_if_due() {
  if (processes_.seconds() < measured_ + between_) return;
  load();
  measure(sim::Meter::kGlance);
  auto& kept = outcome_.measurements;
  if (kept.size() < kMeasurements) return;
  for (std::size_t k = 0; 2 * k < kept.size(); ++k) std::swap(kept[k], kept[2 * k]);
  kept.resize((kept.size() + 1) / 2);
  between_ *= 2;
}

std::uint64_t Swarm::sum(std::uint64_t Member::*what) const {
  const auto members = processes_.members();
  return std::accumulate(members.begin(), members.end(), std::uint64_t{0},
                         [what](std::uint64_t before, const Member& one) { return before + one.*what; });
}

std::string Swarm::exchanges() const {
  return thousands(sum(&Member::completed) / 2) + " completed, " + thousands(sum(&Member::cut_short)) +
         " sides cut short, " + thousands(sum(&Member::in_doubt)) + " in doubt, " +
         thousands(sum(&Member::refused)) + " blocks refused";
}

int Swarm::finish() {
  outcome_.seconds = processes_.seconds() - outcome_.measuring_seconds;
  load();
  measure(sim::Meter::kThorough);
  const auto& spent = outcome_.measurements.back().account;
  const std::uint64_t steps = spent.gradient_evaluations / std::max<std::uint64_t>(1, 2 * spent.interactions);
  settings_.local_steps.mean = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, steps));
  const auto died =
      std::ranges::count_if(processes_.members(), [](const Member& m) { return !m.fate.empty(); });
  SimulateOptions learning = agent_.learning;
  learning.agents = settings_.agents;
  const Run run{.command = options_.command,
                .data = data_,
                .model = problem_.model(),
                .topology = "whom they find by multicast",
                .shards = shards_or_default(learning, problem_),
                .algorithm = "popsgd",
                .engine = "agents, " + agent_.transport,
                .link = {},
                .contacts = {},
                .settings = settings_,
                .parameters = problem_.parameters(),
                .threads = workers_.count(),
                .outcome = outcome_,
                .more = {{"exchanges", exchanges()},
                         {"died", std::to_string(died) + " agents, which count with what they saved last"}}};
  if (!options_.out.empty()) write_results(run, options_.out);
  std::fputs((options_.json ? summary_json(run) : summary_text(run)).c_str(), stdout);
  if (!options_.json) {
    std::printf("  exchanges   %s\n", exchanges().c_str());
    if (!options_.out.empty()) std::printf("  report      %s/report.html\n", options_.out.c_str());
  }
  if (outcome_.diverged_at)
    std::fputs("popsgd: the models stopped being finite; try a smaller --lr\n", stderr);
  return died > 0 || outcome_.diverged_at ? 1 : 0;
}

}  // namespace

void declare_swarm(CLI::App& app, SwarmOptions& o) {
  app.footer(kSwarmExamples);
  o.app = &app;
  o.agent.save_every = 10;  // seconds: the models are measured as often
  app.add_option("N", o.agents, "How many agents")->required();
  declare_learning(app, o.agent.learning);
  declare_meeting(app, o.agent);
  app.add_option("--numeric", o.agent.learning.numeric,
                 "What agents learn in: float32, int16, int8, or a mix: float32:24,int16:8")
      ->capture_default_str();
  app.add_option("--state", o.agent.state,
                 "Keep the agents' checkpoints here, and go on from the last ones [nowhere]")
      ->type_name("DIR");
  app.add_option("--out", o.out, "Folder for summary.json, metrics.csv and report.html")->type_name("DIR");
  app.add_flag("--json", o.json, "Print the summary as JSON");
}

int swarm(const SwarmOptions& options) {
  if (!options.out.empty()) prepare_output_directory(options.out);
  return Swarm(options).run();
}

}  // namespace popsgd::command
