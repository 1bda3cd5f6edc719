#include "agent.h"

#include "agent/endpoints.h"
#include "agent/evaluation.h"
#include "agent/keeper.h"
#include "agent/node.h"
#include "agent/setup.h"
#include "agent/status.h"
#include "agent/swarm_keys.h"
#include "agent/telemetry.h"
#include "agent/training.h"
#include "config_file.h"
#include "device/entropy.h"
#include "device/file_store.h"
#include "device/notify.h"
#include "learning.h"

#include <popsgd/asio/address_text.h>
#include <popsgd/sim/device.h>
#include <popsgd/sim/error.h>
#include <popsgd/version.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

namespace popsgd::command {
namespace {

constexpr const char* kAgentExamples = R"(
Examples:
  popsgd keygen swarm.key
  popsgd agent --key swarm.key
      learns Fashion-MNIST with whoever has the key and is on the local networks, until Ctrl-C
  popsgd agent --key swarm.key --state /var/lib/popsgd --metrics 127.0.0.1:9100
      goes on from its last checkpoint; shows how it does at http://127.0.0.1:9100/
  popsgd agent --key swarm.key --data my.csv:label=species --model mlp:32 --swarm plants --shard 2/5
  popsgd agent --key swarm.key --listen :7777 --no-discovery
  popsgd agent --key swarm.key --peer 192.0.2.7:7777 --transport udp --quantize auto
  popsgd agent --key swarm.key --state plants --privacy-noise 40 --privacy-clip 0.1 --privacy-epsilon 4
  popsgd agent --key swarm.key --swarm digits --data digits.csv --model softmax --serial /dev/ttyACM0
      meets the microcontroller on its USB port, too, and takes what it learns to the others; it has the key
  popsgd agent --listen 127.0.0.1:0 --interface lo
      in plain text: nobody else can hear what is said on the loopback interface
  popsgd agent --config /etc/popsgd/agent.toml --lr 0.05
      agent.toml:  key = "/etc/popsgd/swarm.key"
                   swarm = "plants"
                   peer = ["192.0.2.7:7777", "[2001:db8::7]:7777"]
                   lr = 0.1

On a terminal it keeps one line up to date; else it prints lines of JSON.
Exit: 0 done or stopped by a signal, 1 the model stopped being finite or was not saved at the end,
2 the request cannot be carried out
)";

constexpr const char* kInsecure =
    "popsgd: warning: --insecure: anybody who reaches this agent may join, read what agents send, and change "
    "it\n";

constexpr double kKeyLook = 2;    // seconds between two looks at the key file
constexpr double kPatience = 10;  // seconds without a sample, of which there is one each second

struct Seeds {
  std::uint64_t agent, discovery, id, draws;
};

Seeds draw_seeds() {
  device::KernelEntropy entropy;
  Seeds seeds{};
  const Status status = entropy.fill(std::as_writable_bytes(std::span(&seeds, 1)));
  if (status != Status::ok)
    throw sim::Error("the kernel gives no random numbers: " + std::string(text(status)));
  seeds.id |= 1;  // not 0
  return seeds;
}

// Privacy is not final, and ends only as a part.
struct OwnPrivacy {
  OwnPrivacy(const Privacy::Settings& settings, Entropy& entropy) : own(settings, entropy) {}
  Privacy own;
};

// The agent, and everything around it that has a thread or a socket.
class Process {
 public:
  explicit Process(const AgentOptions& options);
  int run();

 private:
  void begin();
  void open_state(std::uint64_t size);
  [[nodiscard]] Sample sample();
  [[nodiscard]] double now() const;
  void report();
  void feed_watchdog();
  void pay_ahead();
  void look_at_key();
  int finish();

  const AgentOptions& options_;
  const sim::Settings settings_;
  const Part part_;
  const std::string data_;
  const Seeds seeds_ = draw_seeds();
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  StatusLine status_;
  device::Notify notify_;
  sim::Problem problem_;
  sim::Shards shards_;
  sim::Device device_;
  std::vector<std::uint64_t> workspace_;
  device::KernelEntropy entropy_;
  std::optional<OwnPrivacy> privacy_;
  SharedAgent shared_;
  device::FileStore files_;
  StagedStore store_{files_};
  net::Loop loop_;
  History history_;
  Facts facts_;
  std::uint64_t turns_ = 0;  // of the training thread when the watchdog was last fed
  double bytes_ = 0;         // exchanged until the last report
  double reported_ = 0;
  bool told_of_strangers_ = false;
  bool told_of_budget_ = false;
  std::optional<Node> node_;
  std::optional<KeyWatch> key_watch_;
  std::optional<net::HttpServer> pages_;
  std::optional<net::Timer> ticking_, reporting_, feeding_, ending_, watching_;
  std::optional<Evaluation> evaluation_;
  std::optional<Keeper> keeper_;
  std::optional<Training> training_;  // the threads go first
};

sim::Shards shards_for(const AgentOptions& options, Part part, const sim::Problem& problem) {
  if (part.parts == 1) return sim::Shards::make("shared", problem.train(), 1, 0);
  SimulateOptions learning = options.learning;
  learning.agents = part.parts;
  const std::string name = shards_or_default(learning, problem);
  return sim::Shards::make(name, problem.train(), part.parts,
                           static_cast<std::uint64_t>(options.learning.seed));
}

Process::Process(const AgentOptions& options)
    : options_(options),
      settings_(learning_from(options)),
      part_(part_from(options)),
      data_(data_or_default(options.learning.data)),
      problem_(sim::DataSpec::parse(data_), model_or_default(options.learning, data_), settings_.seed),
      shards_(shards_for(options, part_, problem_)),
      device_(problem_, settings_, shards_, part_.index, numeric_from(options), seeds_.draws) {
  check_times(options);
  begin();
  NodeOptions node = node_from(options);
  node.id = seeds_.id;
  node.seed = seeds_.discovery;
  node.keys = keys_from(options);
  node.stays_here = !node.keys && !options.insecure;
  if (node.keys) key_watch_.emplace(options.key, node.keys->current);
  node_.emplace(loop_, shared_, node, [this](const std::string& line) { status_.event("network", line); });
  forget(node.keys);
  if (options.insecure) std::fputs(kInsecure, stderr);
  facts_ = {
      .id = std::to_string(seeds_.id),
      .swarm = options.swarm,
      .model = problem_.model(),
      .data = data_,
      .numeric = std::string(sim::text(device_.numeric())),
      .version = POPSGD_VERSION,
      .listening = {options.transport + " " + net::to_text(node_->listening())},
      .parameters = device_.parameters(),
      .started = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count()};
  if (!options.metrics.empty()) {
    pages_.emplace(loop_, net::parse_address(options.metrics), [this](const net::HttpRequest& request) {
      return endpoint(request, history_, facts_, now(), kPatience);
    });
  }
}

void Process::begin() {
  if (const auto privacy = agent_privacy_from(options_)) privacy_.emplace(*privacy, entropy_);
  AgentConfig config =
      config_from(options_, settings_, fingerprint_of(options_.swarm, problem_), seeds_.agent);
  config.privacy = privacy_ ? &privacy_->own : nullptr;
  const auto numeric = device_.numeric();
  workspace_.resize((Agent::workspace_size(config, device_.parameters(), device_.tensors(), numeric) + 7) /
                    8);
  const Status status =
      device_.begin(shared_.agent, config, std::as_writable_bytes(std::span(workspace_)), net::Loop::now());
  if (status != Status::ok) throw sim::Error("the agent cannot begin: " + std::string(text(status)));
  if (!options_.state.empty())
    open_state(Agent::checkpoint_size(config, device_.parameters(), device_.tensors(), numeric));
}

// What cannot be gone on from is left as it is.
void Process::open_state(std::uint64_t size) {
  if (files_.open(options_.state, size) != Status::ok || store_.load() != Status::ok)
    throw sim::Error("--state " + options_.state + ": " + files_.why());
  const Status status = shared_.agent.restore(store_, net::Loop::now());
  if (status == Status::no_checkpoint) return;
  if (status != Status::ok)
    throw sim::Error("--state " + options_.state + ": " + std::string(text(status)) +
                     "; choose another directory, or the --swarm, --model and --numeric it was made with");
  status_.event("restored", "goes on from step " + std::to_string(shared_.agent.metrics().steps) + " in " +
                                options_.state);
}

double Process::now() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

Sample Process::sample() {
  Sample sample{.seconds = now(),
                .loss = training_ ? training_->loss() : kUnknown,
                .accuracy = evaluation_ ? evaluation_->accuracy() : kUnknown,
                .peers_known = node_->peers_known(),
                .links = node_->links(),
                .metrics = {}};
  const std::lock_guard lock(shared_.mutex);
  const Agent& agent = shared_.agent;
  sample.metrics = agent.metrics();
  sample.steps = sample.metrics.steps;
  sample.counter = static_cast<double>(agent.counter().bits()) / 65536;
  sample.distance = agent.distance() > 0 ? static_cast<double>(agent.distance()) : kUnknown;
  sample.settled = agent.settled();
  sample.fresh = agent.fresh();
  if (privacy_) {
    sample.epsilon = privacy_->own.epsilon();
    sample.releases = privacy_->own.releases();
    sample.withheld = privacy_->own.withheld();
  }
  return sample;
}

void Process::report() {
  const Sample sample = this->sample();
  const auto bytes = static_cast<double>(sample.metrics.bytes_sent + sample.metrics.bytes_received);
  const std::uint64_t strangers = sample.metrics.dropped[static_cast<std::size_t>(Drop::incompatible)];
  if (strangers > 0 && !std::exchange(told_of_strangers_, true)) {
    status_.event("incompatible",
                  "a peer of swarm " + options_.swarm +
                      " has another --model or another version; agents that differ never exchange");
  }
  status_.sample(sample, (bytes - bytes_) / std::max(1e-3, sample.seconds - reported_));
  bytes_ = bytes;
  reported_ = sample.seconds;
}

// Alive is who also trains: the loop alone may turn for ever.
void Process::feed_watchdog() {
  if (training_->turns() == turns_) return;
  turns_ = training_->turns();
  notify_.alive();
}

// A checkpoint pays for the next releases.
void Process::pay_ahead() {
  if (!privacy_) return;
  const std::lock_guard lock(shared_.mutex);
  if (privacy_->own.wants_save()) keeper_->soon();
  if (privacy_->own.left() >= 1 || std::exchange(told_of_budget_, true)) return;
  status_.event("budget", "the privacy budget is spent: what is learned from now on stays here");
}

void Process::look_at_key() {
  try {
    auto found = key_watch_->look();
    if (!found) return;
    node_->use(found->keys, found->same_key);
    status_.event("key", options_.key +
                             (found->same_key ? ": the same key" : ": another key, all links end") +
                             ", epoch " + std::to_string(found->keys.current.epoch));
    forget(found->keys);
  } catch (const std::exception& error) {
    status_.event("key", std::string(error.what()) + "; it goes on with the key it has");
  }
}

int Process::run() {
  const auto repeat = [this](std::optional<net::Timer>& timer, double seconds, auto work) {
    const auto ms = static_cast<std::uint32_t>(std::max(1.0, 1000 * seconds));
    timer.emplace(loop_, [&timer, ms, work] {
      work();
      timer->after(ms);
    });
    timer->after(ms);
  };
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads its lines may go; so may the room for its files
  std::signal(SIGXFSZ, SIG_IGN);
  loop_.on_signals({SIGINT, SIGTERM}, [this](int) { loop_.stop(); });
  const double every = options_.report_every > 0 ? options_.report_every : status_.terminal() ? 1 : 10;
  repeat(ticking_, 1, [this] {
    history_.add(sample());
    pay_ahead();
  });
  repeat(reporting_, every, [this] { report(); });
  if (const auto alive = notify_.alive_every())
    repeat(feeding_, std::chrono::duration<double>(*alive).count(), [this] { feed_watchdog(); });
  if (key_watch_) repeat(watching_, kKeyLook, [this] { look_at_key(); });
  if (options_.duration > 0) {
    ending_.emplace(loop_, [this] { loop_.stop(); });
    const double most = 2e9;  // ms: 23 days
    ending_->after(static_cast<std::uint32_t>(std::min(most, 1000 * options_.duration)));
  }
  if (!options_.state.empty()) {
    keeper_.emplace(shared_, store_, options_.save_every, [this](Status status) {
      if (status != Status::ok) status_.event("not_saved", files_.why() + "; it is tried again later");
    });
  }
  pay_ahead();
  evaluation_.emplace(shared_, device_, problem_, options_.eval_every);
  training_.emplace(shared_, device_.parameters(), device_.numeric(), training_from(options_),
                    [this] { loop_.stop(); });
  history_.add(sample());
  status_.event("listening", "listening at " + facts_.listening.front() + ", swarm " + options_.swarm + ", " +
                                 facts_.model + " on " + facts_.data);
  if (pages_) status_.event("pages", "pages at http://" + net::to_text(pages_->address()) + "/");
  notify_.ready();
  loop_.run();
  return finish();
}

int Process::finish() {
  notify_.stopping();
  const double loss = training_->loss();
  training_.reset();
  Sample last = sample();
  last.loss = loss;
  const sim::Score score = evaluation_->all();
  if (privacy_) {
    const std::lock_guard lock(shared_.mutex);
    privacy_->own.close();  // the last checkpoint pays for no more
  }
  const bool saved = !keeper_ || keeper_->save() == Status::ok;
  status_.result(last, score.loss, score.accuracy);
  if (!saved) std::fprintf(stderr, "popsgd: the last checkpoint was not saved: %s\n", files_.why().c_str());
  std::vector<float> model(device_.parameters());
  device_.copy_model(model);
  const bool finite = std::ranges::all_of(model, [](float value) { return std::isfinite(value); });
  if (!finite) std::fputs("popsgd: the model stopped being finite; try a smaller --lr\n", stderr);
  return saved && finite ? 0 : 1;
}

}  // namespace

void declare_meeting(CLI::App& app, AgentOptions& o) {
  app.add_option("--quantize", o.learning.quantise,
                 "What is sent of a model: auto, raw, or bits from 2 to 16 [3:rotate]")
      ->type_name("CODE");
  app.add_option("--settle", o.learning.settle, "Below this step size it goes on averaging without stepping")
      ->capture_default_str();
  app.add_option("--shards", o.learning.shards, "How rows are dealt out among several [iid]");
  app.add_option("--transport", o.transport, "tcp or udp; the same for all of a swarm")
      ->capture_default_str();
  app.add_option("--datagram", o.datagram,
                 "udp: bytes of the longest datagram, or auto: what the path carries")
      ->capture_default_str();
  app.add_option("--every", o.every, "ms between two offers of an exchange, on average")
      ->capture_default_str();
  app.add_flag("--no-gate", o.no_gate, "Average with partners however far away");
  app.add_option("--rate", o.rate, "Most steps a second; 0: as many as there is time for")
      ->capture_default_str();
  app.add_option("--steps", o.steps, "End after so many steps, those before a restart among them; 0: do not")
      ->capture_default_str();
  app.add_option("--duration", o.duration, "End after so many seconds; 0: do not")->capture_default_str();
  app.add_option("--save-every", o.save_every, "Seconds between two checkpoints")->capture_default_str();
  app.add_option("--eval-every", o.eval_every,
                 "Seconds between two looks at the test rows; 0: only at the end")
      ->capture_default_str();
}

void declare_agent(CLI::App& app, AgentOptions& o) {
  app.footer(kAgentExamples);
  declare_config_file(app);
  declare_learning(app, o.learning);
  declare_meeting(app, o);
  app.add_option("--numeric", o.learning.numeric, "What it learns in: float32, int16 or int8")
      ->capture_default_str();
  app.add_option("--shard", o.shard, "Which rows are its own: all, or K/N for the K-th of N parts")
      ->capture_default_str();
  app.add_option("--swarm", o.swarm, "Only agents of one name and one model meet")->capture_default_str();
  app.add_option("--key", o.key,
                 "The swarm's key, made by popsgd keygen or popsgd enroll; only who has it is met")
      ->type_name("FILE");
  app.add_flag(
      "--insecure", o.insecure,
      "Plain text, with anybody, although others can reach it; no need to say so on the loopback interface");
  app.add_option("--listen", o.listen, "Where peers reach it: ADDRESS:PORT or :PORT [any]");
  app.add_option("--peer", o.peers, "A peer's ADDRESS:PORT; may be given several times");
  app.add_option("--serial", o.wires,
                 "A serial port with a device at its other end; may be given several times")
      ->type_name("DEVICE");
  app.add_flag(
      "--plain-serial", o.plain_wires,
      "Along serial ports plain text with whoever is there, also with --key: for devices too small for one");
  app.add_option("--baud", o.baud, "Bits a second of serial ports")->capture_default_str();
  app.add_option("--interface", o.interfaces,
                 "Look for peers on this interface only; may be given several times");
  app.add_flag("--loopback", o.loopback, "Look for peers on this machine's loopback interface, too");
  app.add_flag("--no-discovery", o.no_discovery, "Do not look for peers by multicast");
  declare_privacy(app, o.learning.privacy);
  app.add_option("--state", o.state, "Keep checkpoints here, and go on from the last one")->type_name("DIR");
  app.add_option("--report-every", o.report_every, "Seconds between two lines [1 on a terminal, else 10]");
  app.add_option("--metrics", o.metrics, "Serve a live page and metrics here")->type_name("ADDRESS:PORT");
}

int agent(const AgentOptions& options) {
  return Process(options).run();
}

}  // namespace popsgd::command
