#include "telemetry.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

namespace popsgd::command {
namespace {

using json = nlohmann::ordered_json;  // for readers: what matters most comes first

// In the order of Refusal and of Drop.
constexpr std::array<std::string_view, kRefusals> kRefusalNames{"none",     "not_finite", "out_of_range",
                                                                "checksum", "too_far",    "still"};
constexpr std::array<std::string_view, kDrops> kDropNames{
    "damaged", "malformed", "unknown", "duplicate", "unexpected", "reflected", "incompatible", "no_room"};
static_assert(static_cast<std::size_t>(Refusal::still) + 1 == kRefusals);
static_assert(static_cast<std::size_t>(Drop::no_room) + 1 == kDrops);

using Counter = std::uint64_t AgentMetrics::*;
struct CounterName {
  std::string_view key;     // in JSON
  std::string_view family;  // of Prometheus, with its unit and _total
  Counter counter;
  std::string_view help;
};
constexpr std::array kCounters{
    CounterName{"offers", "offers_total", &AgentMetrics::offers, "Exchanges offered to peers."},
    CounterName{"begun", "exchanges_begun_total", &AgentMetrics::begun, "Exchanges agreed on."},
    CounterName{"blocks_applied", "blocks_applied_total", &AgentMetrics::blocks_applied,
                "Blocks averaged into the model."},
    CounterName{"retries", "block_retries_total", &AgentMetrics::retries,
                "Attempts at a block after one side had read the other wrong."},
    CounterName{"saturated", "parameters_saturated_total", &AgentMetrics::saturated,
                "Parameters that stopped at their type's range in averaging."},
    CounterName{"saturated_in_steps", "step_values_saturated_total", &AgentMetrics::saturated_in_steps,
                "Values that stopped at their type's range in local steps."},
    CounterName{"in_doubt", "blocks_in_doubt_total", &AgentMetrics::in_doubt,
                "Blocks dropped although the partner may have applied its half."},
    CounterName{"retransmissions", "retransmissions_total", &AgentMetrics::retransmissions,
                "Frames sent again."},
    CounterName{"frames_sent", "sent_frames_total", &AgentMetrics::frames_sent, "Frames sent."},
    CounterName{"frames_received", "received_frames_total", &AgentMetrics::frames_received,
                "Frames received."},
    CounterName{"bytes_sent", "sent_bytes_total", &AgentMetrics::bytes_sent, "Bytes of frames sent."},
    CounterName{"bytes_received", "received_bytes_total", &AgentMetrics::bytes_received,
                "Bytes of frames received."},
};

// --- Prometheus

std::string written(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> text;
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

std::string written(std::uint64_t value) {
  return std::to_string(value);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out += '"';
}

class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = "popsgd_" + std::string(name);
    text_ +=
        "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " + std::string(type) + "\n";
  }
  void value(const std::string& shown) { text_ += name_ + " " + shown + "\n"; }
  void value(const std::string& labels, const std::string& shown) {
    text_ += name_ + "{" + labels + "} " + shown + "\n";
  }
  void gauge(std::string_view name, double is, std::string_view help) {
    if (std::isnan(is)) return;
    family(name, "gauge", help);
    value(written(is));
  }
  void counter(std::string_view name, std::uint64_t is, std::string_view help) {
    family(name, "counter", help);
    value(written(is));
  }
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
};

void tell_facts(Exposition& out, const Facts& facts) {
  out.family("info", "gauge", "What this agent is; always 1.");
  const std::array<std::pair<std::string_view, std::string_view>, 6> labels{{{"id", facts.id},
                                                                             {"swarm", facts.swarm},
                                                                             {"model", facts.model},
                                                                             {"data", facts.data},
                                                                             {"numeric", facts.numeric},
                                                                             {"version", facts.version}}};
  std::string all;
  for (const auto& [name, text] : labels) {
    all += (all.empty() ? "" : ",") + std::string(name) + "=" + quoted(text);
  }
  out.value(all, "1");
  out.gauge("parameters", static_cast<double>(facts.parameters), "Parameters of the model.");
  out.gauge("start_time_seconds", facts.started, "When the agent started, since 1970.");
}

void tell_privacy(Exposition& out, const Sample& sample) {
  out.gauge("epsilon", sample.epsilon, "Spent of the privacy budget.");
  out.counter("releases_total", sample.releases, "Blocks whose local updates left, with noise.");
  out.counter("withheld_total", sample.withheld,
              "Exchanges that the privacy budget, or what is paid for of it, did not admit.");
}

template <std::size_t n>
void tell_reasons(Exposition& out, const std::array<std::string_view, n>& names,
                  const std::array<std::uint64_t, n>& counts, std::size_t first) {
  for (std::size_t i = first; i < n; ++i) out.value("reason=" + quoted(names[i]), written(counts[i]));
}

// --- JSON

// JSON has no NaN. Seven digits are more than a chart or a reader can tell apart.
json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  std::array<char, 32> text;
  const char* end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 7).ptr;
  std::from_chars(text.data(), end, value);
  return value;
}

// Every number of a sample, by name: tell(name, json).
template <typename Tell>
void each_number(const Sample& sample, const Tell& tell) {
  tell("seconds", rounded(sample.seconds));
  tell("steps", json(sample.steps));
  tell("counter", rounded(sample.counter));
  tell("loss", rounded(sample.loss));
  tell("accuracy", rounded(sample.accuracy));
  tell("peers_known", json(sample.peers_known));
  tell("links", json(sample.links));
  tell("distance", rounded(sample.distance));
  tell("epsilon", rounded(sample.epsilon));
  tell("releases", json(sample.releases));
  tell("withheld", json(sample.withheld));
  tell("completed", json(sample.metrics.completed));
  tell("cut_short", json(sample.metrics.cut_short));
  for (const CounterName& name : kCounters) tell(std::string(name.key), json(sample.metrics.*name.counter));
  for (std::size_t i = 1; i < kRefusals; ++i) {
    tell("refused_" + std::string(kRefusalNames[i]), json(sample.metrics.refused[i]));
  }
  for (std::size_t i = 0; i < kDrops; ++i) {
    tell("dropped_" + std::string(kDropNames[i]), json(sample.metrics.dropped[i]));
  }
}

// Texts of the user's that are not UTF-8 are mended.
std::string written(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

json to_json(const Facts& facts) {
  return {{"id", facts.id},           {"swarm", facts.swarm},           {"model", facts.model},
          {"data", facts.data},       {"numeric", facts.numeric},       {"version", facts.version},
          {"started", facts.started}, {"parameters", facts.parameters}, {"listening", facts.listening}};
}

}  // namespace

// --- history

History::History(std::size_t capacity, double interval)
    : capacity_(capacity), interval_(interval), slack_(interval / 4) {
  if (capacity < 2 || !(interval > 0)) throw std::invalid_argument("History: capacity >= 2, interval > 0");
  samples_.resize(capacity);  // all of its memory now, not bit by bit as pages are touched
  samples_.clear();
}

void History::add(const Sample& sample) {
  last_ = sample;
  const auto too_early = [&] { return sample.seconds - samples_.back().seconds < interval_ - slack_; };
  if (!samples_.empty() && too_early()) return;
  if (samples_.size() == capacity_) {
    for (std::size_t i = 1; 2 * i < samples_.size(); ++i) samples_[i] = samples_[2 * i];
    samples_.resize((samples_.size() + 1) / 2);
    interval_ *= 2;
    if (too_early()) return;
  }
  samples_.push_back(sample);
}

// --- what is told

std::string prometheus(const Sample& sample, const Facts& facts) {
  const AgentMetrics& metrics = sample.metrics;
  Exposition out;
  tell_facts(out, facts);
  out.gauge("uptime_seconds", sample.seconds, "Since the agent started, at the last sample.");
  out.counter("steps_total", sample.steps, "Local SGD steps.");
  out.gauge("counter", sample.counter, "The gossip-averaged step counter, which schedules run on.");
  out.gauge("loss", sample.loss, "Loss of the model.");
  out.gauge("accuracy_ratio", sample.accuracy, "Accuracy of the model, 0 to 1.");
  out.gauge("peers_known", static_cast<double>(sample.peers_known), "Peers known.");
  out.gauge("links", static_cast<double>(sample.links), "Open links to peers.");
  out.gauge("distance", sample.distance, "Rms distance to the models of partners.");
  out.gauge("settled", sample.settled ? 1 : 0, "1: the agent takes no more steps and only averages.");
  out.gauge("fresh", sample.fresh ? 1 : 0, "1: the agent has learned nothing yet.");
  out.family("exchanges_total", "counter", "Exchanges that are over, by result.");
  out.value("result=\"completed\"", written(metrics.completed));
  out.value("result=\"cut_short\"", written(metrics.cut_short));
  for (const CounterName& name : kCounters) out.counter(name.family, metrics.*name.counter, name.help);
  if (!std::isnan(sample.epsilon)) tell_privacy(out, sample);
  out.family("blocks_refused_total", "counter", "Blocks of peers that were refused, by reason.");
  tell_reasons(out, kRefusalNames, metrics.refused, 1);
  out.family("frames_dropped_total", "counter", "Frames received that changed nothing, by reason.");
  tell_reasons(out, kDropNames, metrics.dropped, 0);
  return std::move(out).text();
}

std::string status_json(const History& history, const Facts& facts) {
  json document{{"facts", to_json(facts)}, {"interval", history.interval()}, {"last", nullptr}};
  if (history.last()) {
    json& last = document["last"] = json::object();
    each_number(*history.last(), [&](const std::string& name, json value) { last[name] = std::move(value); });
    last["settled"] = history.last()->settled;
    last["fresh"] = history.last()->fresh;
  }
  return written(document);
}

std::string history_json(const History& history) {
  json columns = json::object();
  each_number(Sample{}, [&](const std::string& name, const json&) { columns[name] = json::array(); });
  for (const Sample& sample : history.samples()) {
    each_number(sample,
                [&](const std::string& name, json value) { columns[name].push_back(std::move(value)); });
  }
  return written({{"interval", history.interval()}, {"columns", std::move(columns)}});
}

Health health(const History& history, double now, double patience) {
  if (!history.last()) return {false, "no sample yet: the agent is starting"};
  const double age = now - history.last()->seconds;
  if (age <= patience) return {true, "ok"};
  return {false, "the last sample is " + written(std::round(age)) + " s old, more than " + written(patience) +
                     " s: the agent may be stuck"};
}

}  // namespace popsgd::command
