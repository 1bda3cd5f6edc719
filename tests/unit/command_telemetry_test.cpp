#include "agent/endpoints.h"
#include "agent/telemetry.h"

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace popsgd::command {
namespace {

Sample sample_at(double seconds) {
  Sample sample;
  sample.seconds = seconds;
  sample.steps = static_cast<std::uint64_t>(seconds * 10);
  return sample;
}

Sample busy_sample() {
  Sample sample = sample_at(12.5);
  sample.counter = 1e7 + 0.5;
  sample.loss = 0.25;
  sample.accuracy = 0.875;
  sample.peers_known = 7;
  sample.links = 3;
  sample.distance = 1e-9;
  sample.epsilon = 1.5;
  sample.releases = 7;
  sample.withheld = 3;
  sample.settled = true;
  sample.metrics.completed = 40;
  sample.metrics.cut_short = 2;
  sample.metrics.bytes_sent = 18446744073709551615ULL;
  sample.metrics.refused = {99, 1, 2, 3, 4, 5};
  sample.metrics.dropped = {1, 2, 3, 4, 5, 6, 7, 8};
  return sample;
}

Facts facts_with(std::string swarm) {
  Facts facts;
  facts.id = "7f3a";
  facts.swarm = std::move(swarm);
  facts.parameters = 50890;
  facts.started = 1790000000;
  return facts;
}

net::HttpResponse ask(std::string_view path, const History& history, double now = 0) {
  return endpoint({path, ""}, history, facts_with("s"), now, 10);
}

// --- a strict reader of text format 0.0.4: what it reads, by name with labels; or none at the first offence

using Metrics = std::map<std::string, double>;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<Metrics> read() {
    if (!text_.ends_with('\n')) return std::nullopt;
    while (!text_.empty()) {
      line_ = text_.substr(0, text_.find('\n'));
      text_.remove_prefix(line_.size() + 1);
      if (!(line_.starts_with("# ") ? comment() : sample())) return std::nullopt;
    }
    return metrics_;
  }

 private:
  bool skip(std::string_view words) {
    if (!line_.starts_with(words)) return false;
    line_.remove_prefix(words.size());
    return true;
  }

  std::string name() {
    std::size_t n = 0;
    while (n < line_.size() &&
           (std::isalpha(line_[n]) != 0 || line_[n] == '_' || (n > 0 && std::isdigit(line_[n]) != 0)))
      ++n;
    const std::string found(line_.substr(0, n));
    line_.remove_prefix(n);
    return found;
  }

  // HELP, then TYPE, once a family, before its samples.
  bool comment() {
    if (skip("# HELP ")) {
      family_ = name();
      type_.clear();
      return !family_.empty() && families_.insert(family_).second && skip(" ") && !line_.empty();
    }
    if (!skip("# TYPE ") || name() != family_ || !type_.empty() || !skip(" ")) return false;
    type_ = line_;
    const bool total = family_.ends_with("_total");
    return (type_ == "counter" && total) || (type_ == "gauge" && !total);
  }

  bool label() {
    if (name().empty() || !skip("=\"")) return false;
    while (!line_.empty() && line_[0] != '"') {
      if (line_[0] == '\\' &&
          !(line_.size() > 1 && std::string_view("\\\"n").find(line_[1]) != std::string_view::npos)) {
        return false;
      }
      line_.remove_prefix(line_[0] == '\\' ? 2 : 1);
    }
    return skip("\"");
  }

  bool sample() {
    const std::string_view whole = line_;
    if (type_.empty() || name() != family_) return false;
    if (skip("{")) {
      do {
        if (!label()) return false;
      } while (skip(","));
      if (!skip("}")) return false;
    }
    const std::string key(whole.substr(0, whole.size() - line_.size()));
    if (!skip(" ") || line_.empty() || std::isspace(line_[0]) != 0) return false;
    char* end = nullptr;
    const std::string number(line_);
    const double value = std::strtod(number.c_str(), &end);
    return *end == '\0' && !std::isnan(value) && metrics_.emplace(key, value).second;
  }

  std::string_view text_;
  std::string_view line_;
  std::string family_;
  std::string type_;
  std::set<std::string> families_;
  Metrics metrics_;
};

}  // namespace

TEST_CASE("a history keeps all of a run in view, evenly, in bounded memory") {
  History history(600, 1);
  for (int second = 0; second <= 1000000; ++second) {
    history.add(sample_at(second));
    REQUIRE(history.samples().size() <= 600);
  }
  const auto& kept = history.samples();
  CHECK(kept.size() >= 300);
  CHECK(kept.front().seconds == 0);
  CHECK(history.interval() == 2048);  // 4096 would leave 245
  for (std::size_t i = 1; i < kept.size(); ++i)
    CHECK(kept[i].seconds - kept[i - 1].seconds == history.interval());
  CHECK(1000000 - kept.back().seconds < history.interval());
  CHECK(history.last()->seconds == 1000000);
}

TEST_CASE("a history bears late and early samples, odd capacities and silence") {
  History history(7, 1);
  double time = 0;
  for (int i = 0; i < 10000; ++i) {
    time += i % 3 == 0 ? 0.9 : 1.05;
    if (i == 5000) time += 1e5;
    history.add(sample_at(time));
    REQUIRE(history.samples().size() <= 7);
    for (std::size_t k = 1; k < history.samples().size(); ++k) {
      REQUIRE(history.samples()[k].seconds - history.samples()[k - 1].seconds >= history.interval() - 0.25);
    }
  }
  CHECK(history.samples().front().seconds == doctest::Approx(0.9));
  CHECK_THROWS(History(1, 1));
  CHECK_THROWS(History(10, 0));
}

TEST_CASE("metrics are in the text format 0.0.4, as a strict reader has it") {
  const auto read = Reader(prometheus(busy_sample(), facts_with("home"))).read();
  REQUIRE(read);
  CHECK(read->at("popsgd_steps_total") == 125);
  CHECK(read->at("popsgd_counter") == 1e7 + 0.5);
  CHECK(read->at("popsgd_loss") == 0.25);
  CHECK(read->at("popsgd_accuracy_ratio") == 0.875);
  CHECK(read->at("popsgd_distance") == 1e-9);
  CHECK(read->at("popsgd_epsilon") == 1.5);
  CHECK(read->at("popsgd_releases_total") == 7);
  CHECK(read->at("popsgd_withheld_total") == 3);
  CHECK(read->at("popsgd_settled") == 1);
  CHECK(read->at("popsgd_exchanges_total{result=\"completed\"}") == 40);
  CHECK(read->at("popsgd_exchanges_total{result=\"cut_short\"}") == 2);
  CHECK(read->at("popsgd_sent_bytes_total") == 0x1p64);
  CHECK(read->at("popsgd_blocks_refused_total{reason=\"not_finite\"}") == 1);
  CHECK(read->at("popsgd_blocks_refused_total{reason=\"still\"}") == 5);
  CHECK(read->count("popsgd_blocks_refused_total{reason=\"none\"}") == 0);
  CHECK(read->at("popsgd_frames_dropped_total{reason=\"damaged\"}") == 1);
  CHECK(read->at("popsgd_frames_dropped_total{reason=\"no_room\"}") == 8);
  CHECK(read->at("popsgd_start_time_seconds") == 1790000000);
}

TEST_CASE("the strict reader refuses what is not the format") {
  for (const char* text :
       {"popsgd_x 1\n", "# HELP a b\n# TYPE a gauge\na 1", "# HELP a b\n# TYPE a counter\na 1\n",
        "# HELP a b\n# TYPE a gauge\na NaN\n", "# HELP a b\n# TYPE a gauge\na{b=\"\\x\"} 1\n",
        "# HELP a b\n# TYPE a gauge\na 1\na 1\n", "# TYPE a gauge\na 1\n"}) {
    CAPTURE(text);
    CHECK_FALSE(Reader(text).read());
  }
}

TEST_CASE("what is unknown is no metric, and labels hold any text") {
  const std::string text = prometheus(Sample{}, facts_with("a \"b\"\\\n{x=\"y\"} 1"));
  const auto read = Reader(text).read();
  REQUIRE(read);
  CHECK(read->count("popsgd_loss") + read->count("popsgd_accuracy_ratio") + read->count("popsgd_distance") ==
        0);
  CHECK(read->count("popsgd_epsilon") + read->count("popsgd_releases_total") == 0);
  CHECK(text.find("swarm=\"a \\\"b\\\"\\\\\\n{x=\\\"y\\\"} 1\"") != std::string::npos);
}

TEST_CASE("status and history are JSON, in which the unknown is null") {
  History history;
  const auto empty = nlohmann::json::parse(status_json(history, facts_with("h")));
  CHECK(empty["last"].is_null());
  CHECK(empty["facts"]["parameters"] == 50890);
  history.add(sample_at(0));
  history.add(busy_sample());
  const auto status = nlohmann::json::parse(status_json(history, facts_with("\xff")));
  CHECK(status["facts"]["swarm"] == "\xef\xbf\xbd");
  CHECK(status["last"]["loss"] == 0.25);
  CHECK(status["last"]["settled"] == true);
  CHECK(status["last"]["refused_too_far"] == 4);
  const auto all = nlohmann::json::parse(history_json(history));
  CHECK(all["interval"] == 1.0);
  CHECK(all["columns"]["seconds"] == nlohmann::json({0.0, 12.5}));
  CHECK(all["columns"]["loss"] == nlohmann::json({nullptr, 0.25}));
  CHECK(all["columns"]["bytes_sent"][1] == 18446744073709551615ULL);
  for (const auto& [key, column] : all["columns"].items()) {
    const std::string& name = key;  // a test cannot capture a binding
    CAPTURE(name);
    CHECK(column.size() == 2);
    CHECK(status["last"].contains(name));
  }
}

TEST_CASE("an agent is well while its samples are young") {
  History history;
  CHECK(health(history, 0, 10).text == "no sample yet: the agent is starting");
  history.add(sample_at(100));
  CHECK(health(history, 110, 10).ok);
  CHECK(health(history, 110, 10).text == "ok");
  CHECK(health(history, 131, 10).text ==
        "the last sample is 31 s old, more than 10 s: the agent may be stuck");
  CHECK_FALSE(health(history, 131, 10).ok);
}

TEST_CASE("each page of an agent is there, and no other") {
  History history;
  CHECK(ask("/health", history).status == 503);
  history.add(sample_at(0));
  history.add(sample_at(1));
  CHECK(ask("/health", history).body == "ok\n");
  CHECK(ask("/", history).type == "text/html; charset=utf-8");
  CHECK(ask("/", history).body.starts_with("<!doctype html>"));
  CHECK(ask("/", history).body.size() < 40000);
  CHECK(ask("/metrics", history).type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(Reader(ask("/metrics", history).body).read());
  CHECK(nlohmann::json::parse(ask("/status", history).body)["last"]["seconds"] == 1.0);
  CHECK(nlohmann::json::parse(ask("/history", history).body)["columns"]["seconds"].size() == 2);
  CHECK(ask("/nothing", history).status == 404);
  CHECK(ask("/status/", history).status == 404);
}

}  // namespace popsgd::command
