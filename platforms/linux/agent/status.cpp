#include "agent/status.h"

#include "format.h"

#include <popsgd/sim/error.h>

#include <cmath>
#include <cstdio>
#include <ctime>
#include <numeric>

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace popsgd::command {
namespace {

using nlohmann::ordered_json;

ordered_json number(double value) {
  return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr);
}

std::uint64_t refused(const AgentMetrics& metrics) {
  return std::accumulate(metrics.refused.begin(), metrics.refused.end(), std::uint64_t{0});
}

ordered_json json_of(const char* event, const Sample& s) {
  return {{"event", event},
          {"seconds", number(s.seconds)},
          {"steps", s.steps},
          {"counter", number(s.counter)},
          {"loss", number(s.loss)},
          {"accuracy", number(s.accuracy)},
          {"peers", s.peers_known},
          {"links", s.links},
          {"distance", number(s.distance)},
          {"completed", s.metrics.completed},
          {"cut_short", s.metrics.cut_short},
          {"retries", s.metrics.retries},
          {"refused", refused(s.metrics)},
          {"in_doubt", s.metrics.in_doubt},
          {"bytes_sent", s.metrics.bytes_sent},
          {"bytes_received", s.metrics.bytes_received},
          {"epsilon", number(s.epsilon)},
          {"releases", s.releases},
          {"withheld", s.withheld},
          {"settled", s.settled},
          {"fresh", s.fresh}};
}

std::string clock_time() {
  char text[16];
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  return {text, std::strftime(text, sizeof text, "%H:%M:%S", localtime_r(&now, &parts))};
}

}  // namespace

StatusLine::StatusLine() : terminal_(isatty(STDOUT_FILENO) == 1) {}

void StatusLine::line(const std::string& text, bool stays) {
  const std::lock_guard lock(mutex_);
  if (terminal_) std::fputs(pending_ ? "\r\033[K" : "", stdout);
  std::fputs(text.c_str(), stdout);
  if (stays) std::fputc('\n', stdout);
  pending_ = !stays;
  std::fflush(stdout);
}

void StatusLine::event(std::string_view name, std::string_view text) {
  if (terminal_) return line(clock_time() + "  " + std::string(text), true);
  line(ordered_json{{"event", name}, {"text", text}}.dump(), true);
}

void StatusLine::sample(const Sample& s, double bytes_per_second) {
  if (!terminal_) return line(json_of("status", s).dump(), true);
  std::string text = clock_time() + "  step " + thousands(s.steps);
  if (std::isfinite(s.loss)) text += "  loss " + fixed(s.loss, 4);
  if (std::isfinite(s.accuracy)) text += "  accuracy " + percent(s.accuracy);
  text += "  " + std::to_string(s.links) + (s.links == 1 ? " peer" : " peers") + "  " +
          thousands(s.metrics.completed) + " exchanges";
  if (refused(s.metrics) > 0) text += ", " + thousands(refused(s.metrics)) + " refused";
  text += "  " + bytes(bytes_per_second) + "/s";
  if (std::isfinite(s.epsilon)) text += "  epsilon " + fixed(s.epsilon, 2);
  if (s.settled) text += "  settled";
  line(text, false);
}

void StatusLine::result(const Sample& s, double test_loss, double test_accuracy) {
  if (!terminal_) {
    ordered_json document = json_of("result", s);
    document["test_loss"] = number(test_loss);
    document["test_accuracy"] = number(test_accuracy);
    return line(document.dump(), true);
  }
  std::string text = "popsgd: " + thousands(s.steps) + " steps, " + thousands(s.metrics.completed) +
                     " exchanges in " + duration(s.seconds);
  if (std::isfinite(test_loss)) text += "; test loss " + fixed(test_loss, 4);
  if (std::isfinite(test_accuracy)) text += ", accuracy " + percent(test_accuracy, 2);
  line(text, true);
}

}  // namespace popsgd::command
