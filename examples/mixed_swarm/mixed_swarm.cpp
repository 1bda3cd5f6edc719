// A laptop, Pis of 64 and 32 bits, a Pi Zero and five kinds of microcontroller learn one model together, in emulation: each sees
// two or three of ten digits, and all learn to read all of them.
#include "chart.h"
#include "process.h"
#include "roster.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <poll.h>

namespace mixed_swarm {
namespace {

constexpr double kGood = 0.6;     // of all digits; who sees three of ten reads 0.3 of them alone
constexpr std::size_t kLast = 5;  // accuracies whose mean counts: between two meetings some is forgotten
constexpr int kPatience = 90;     // seconds until an agent listens, under an emulator on a busy machine

// A node that runs, and what it has told.
struct Running {
  explicit Running(Node its) : node(std::move(its)), process(node.command) {}

  [[nodiscard]] double accuracy() const {
    const std::size_t count = std::min(kLast, curve.points.size());
    double sum = 0;
    for (std::size_t k = 0; k < count; ++k) sum += curve.points[curve.points.size() - 1 - k].accuracy;
    return count > 0 ? sum / static_cast<double>(count) : 0;
  }

  Node node;
  Process process;
  Curve curve{node.name, {}};
  std::string port;  // where it listens
  std::uint64_t exchanges = 0;
  std::vector<std::string> log;
  int status = 0;
};

class Swarm {
 public:
  explicit Swarm(const Plan& plan) : plan_(plan) {}

  void start() {
    for (Node& node : native_agents(plan_)) add(std::move(node));
    await_ports();
    for (Node& node : emulated_agents(plan_, "127.0.0.1:" + nodes_.front()->port)) add(std::move(node));
    await_ports();
    std::vector<std::string> ports;
    for (const auto& running : nodes_) ports.push_back(running->port);
    agents_ = nodes_.size();
    for (Node& node : boards(plan_, ports)) add(std::move(node));
  }

  // Until all boards have come to their end.
  void run() {
    const auto boards_run = [this] {
      return std::any_of(nodes_.begin() + static_cast<std::ptrdiff_t>(agents_), nodes_.end(),
                         [](const auto& running) { return running->process.output() >= 0; });
    };
    const double limit = now() + 2 * plan_.seconds + kPatience;
    while (boards_run() && now() < limit) listen();
    for (std::size_t k = agents_; k < nodes_.size(); ++k) nodes_[k]->status = nodes_[k]->process.end();
  }

  /// Whether all did well.
  bool print() const {
    std::printf("%-8s %-11s %-8s %-8s %9s %10s   %s\n", "node", "machine", "numeric", "sees", "accuracy",
                "exchanges", "link");
    bool good = true;
    double sum = 0;
    for (const auto& running : nodes_) {
      const Node& node = running->node;
      const bool fails = running->exchanges == 0 || running->accuracy() < kGood || running->status != 0;
      good = good && !fails;
      sum += running->accuracy();
      std::printf("%-8s %-11s %-8s %-8s %7.1f %% %10llu   %s%s\n", node.name.c_str(), node.machine.c_str(),
                  node.numeric.c_str(), node.sees.c_str(), 100 * running->accuracy(),
                  static_cast<unsigned long long>(running->exchanges), node.link.c_str(),
                  fails ? "   FAILED" : "");
      if (!fails) continue;
      const std::size_t first = running->log.size() > 5 ? running->log.size() - 5 : 0;
      for (std::size_t k = first; k < running->log.size(); ++k)
        std::printf("    %s\n", running->log[k].c_str());
    }
    std::printf("%zu nodes, on average %.1f %% of the digits read, after %.0f s\n", nodes_.size(),
                100 * sum / static_cast<double>(nodes_.size()), now());
    return good;
  }

  void draw(const std::string& file) const {
    std::vector<Curve> curves;
    std::vector<int> kinds;
    for (const auto& running : nodes_) {
      curves.push_back(running->curve);
      const std::string& machine = running->node.machine;
      kinds.push_back(machine == "x86-64"           ? 0
                      : machine == "aarch64"        ? 1
                      : machine.starts_with("armv") ? 2
                                                    : 3);
    }
    std::ofstream(file) << accuracy_svg(curves, kinds);
    std::printf("plotted in %s\n", file.c_str());
  }

 private:
  [[nodiscard]] double now() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

  void add(Node node) {
    const auto& environment = node.command.environment;
    const auto serial = environment.find("QEMU_BOARD_SERIAL");
    const std::string unix = "unix:";
    // Whoever calls at a wire's socket comes after whoever makes it.
    if (serial != environment.end() && !serial->second.ends_with("wait=off")) {
      const std::string socket = serial->second.substr(unix.size());
      const double limit = now() + kPatience;
      while (!std::filesystem::exists(socket) && now() < limit) listen();
    }
    nodes_.push_back(std::make_unique<Running>(std::move(node)));
  }

  void await_ports() {
    const double limit = now() + kPatience;
    for (const auto& running : nodes_) {
      while (running->port.empty() && running->process.output() >= 0 && now() < limit) listen();
      if (!running->port.empty()) continue;
      std::string said;
      for (const std::string& line : running->log) said += "\n  " + line;
      throw std::runtime_error(running->node.name + " does not listen; it said:" + said);
    }
  }

  // A while, for what nodes say.
  void listen() {
    std::vector<pollfd> waiting;
    for (const auto& running : nodes_)
      if (running->process.output() >= 0) waiting.push_back({running->process.output(), POLLIN, 0});
    poll(waiting.data(), waiting.size(), 100);
    for (const auto& running : nodes_)
      for (const std::string& line : running->process.lines()) heard(*running, line);
  }

  void heard(Running& from, const std::string& line) {
    from.log.push_back(line);
    const auto said = nlohmann::json::parse(line, nullptr, false);
    if (!said.is_object()) return;
    const std::string event = said.value("event", "");
    const std::string text = said.value("text", "");
    const std::string mark = "127.0.0.1:";
    const std::size_t at = text.find(mark);
    if (event == "listening" && at != std::string::npos)
      from.port = std::to_string(std::atoi(text.c_str() + at + mark.size()));
    if (event != "status" && event != "result") return;
    if (said["accuracy"].is_number()) from.curve.points.push_back({now(), said["accuracy"]});
    from.exchanges = said.value("completed", from.exchanges);
  }

  const Plan plan_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::size_t agents_ = 0;
  std::vector<std::unique_ptr<Running>> nodes_;
};

int run(const Plan& plan, const std::string& file) {
  const auto absent = missing(plan);
  for (const std::string& program : absent)
    std::fprintf(stderr, "mixed_swarm: there is no %s\n", program.c_str());
  if (!absent.empty()) return 2;
  std::filesystem::remove_all(plan.scratch);
  std::filesystem::create_directories(plan.scratch);
  write_digits(plan);
  write_key(plan);
  Swarm swarm(plan);
  swarm.start();
  swarm.run();
  const bool good = swarm.print();
  swarm.draw(file);
  return good ? 0 : 1;
}

}  // namespace
}  // namespace mixed_swarm

int main(int argc, char** argv) {
  CLI::App app("A swarm of thirteen devices, all but two in emulation, that learns to read digits.");
  app.footer(
      "\nExamples:\n  examples/mixed_swarm/run\n  popsgd_example_mixed_swarm --source . --seconds 60\n\n"
      "Exit: 0 all learned, 1 some did not, 2 a program is not built or cannot be run\n");
  mixed_swarm::Plan plan{".", "", 40};
  std::string file;
  app.add_option("--source", plan.source, "The project's folder, below which all was built")
      ->capture_default_str();
  app.add_option("--seconds", plan.seconds, "How long boards learn")
      ->check(CLI::Range(10, 600))
      ->capture_default_str();
  app.add_option("--out", file, "Where the plot goes [SOURCE/build/mixed_swarm/accuracy.svg]");
  try {
    app.parse(argc, argv);
    plan.source = std::filesystem::absolute(plan.source).lexically_normal().string();
    plan.scratch = plan.source + "/build/mixed_swarm";
    if (file.empty()) file = plan.scratch + "/accuracy.svg";
    return mixed_swarm::run(plan, file);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mixed_swarm: %s\n", error.what());
    return 2;
  }
}
