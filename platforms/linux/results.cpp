#include "results.h"

#include "format.h"
#include "output/atomic_file.h"

#include <popsgd/version.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <numeric>

#include <nlohmann/json.hpp>
#include <sys/resource.h>

namespace popsgd::command {
namespace {

using Json = nlohmann::ordered_json;
using sim::Measurement;

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

std::uint64_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

// A column of metrics.csv, and a curve of the report.
struct Column {
  const char* name;
  std::function<double(const Measurement&)> value;
};

const std::array<Column, 19>& columns() {
  static const std::array<Column, 19> kColumns{{
      {"interactions", [](const Measurement& m) { return static_cast<double>(m.account.interactions); }},
      {"parallel_time", [](const Measurement& m) { return m.account.parallel_time; }},
      {"gradient_evaluations",
       [](const Measurement& m) { return static_cast<double>(m.account.gradient_evaluations); }},
      {"bytes_exchanged", [](const Measurement& m) { return static_cast<double>(m.account.bytes); }},
      {"rate", [](const Measurement& m) { return static_cast<double>(m.rate); }},
      {"loss_mean_model", [](const Measurement& m) { return m.mean_model.loss; }},
      {"loss_agent_min", [](const Measurement& m) { return m.agent_loss.min; }},
      {"loss_agent_median", [](const Measurement& m) { return m.agent_loss.median; }},
      {"loss_agent_max", [](const Measurement& m) { return m.agent_loss.max; }},
      {"accuracy_mean_model", [](const Measurement& m) { return m.mean_model.accuracy; }},
      {"accuracy_agent_min", [](const Measurement& m) { return m.agent_accuracy.min; }},
      {"accuracy_agent_median", [](const Measurement& m) { return m.agent_accuracy.median; }},
      {"accuracy_agent_max", [](const Measurement& m) { return m.agent_accuracy.max; }},
      {"gamma", [](const Measurement& m) { return m.gamma; }},
      {"gamma_theory", [](const Measurement& m) { return m.gamma_theory; }},
      {"distance_agent_median", [](const Measurement& m) { return m.distance.median; }},
      {"distance_agent_max", [](const Measurement& m) { return m.distance.max; }},
      {"agents_scored", [](const Measurement& m) { return static_cast<double>(m.agents.size()); }},
      {"rows_scored", [](const Measurement& m) { return static_cast<double>(m.rows_scored); }},
  }};
  return kColumns;
}

// Bits on the wire for a parameter of a model sent; NaN if that is not known.
double bits_per_parameter(const Run& run) {
  const sim::Account& account = run.last().account;
  if (account.models_sent == 0) return sim::kUnknown;
  return 8 * static_cast<double>(account.bytes) /
         (static_cast<double>(account.models_sent) * static_cast<double>(run.parameters));
}

bool says_what_it_sends(const Run& run) {
  return run.settings.encoding.code != sim::Encoding::Code::none;
}

std::string wire_text(const Run& run) {
  return fixed(bits_per_parameter(run), 3) + " bits a parameter, frames and checksums included; " +
         thousands(run.last().account.wrapped) + " exchanges took more bits";
}

// "24 x float32, 8 x int16"
std::string numeric_text(const sim::Settings& settings) {
  if (settings.numerics.empty()) return "float32";
  std::string text;
  for (const Numeric kind : {Numeric::float32, Numeric::int16, Numeric::int8}) {
    const auto count = std::count(settings.numerics.begin(), settings.numerics.end(), kind);
    if (count > 0)
      text += (text.empty() ? "" : ", ") + std::to_string(count) + " x " + std::string(sim::text(kind));
  }
  return text;
}

std::vector<double> values(const Run& run, std::string_view name) {
  std::vector<double> result;
  for (const Column& column : columns()) {
    if (name != column.name) continue;
    for (const Measurement& m : run.outcome.measurements) result.push_back(column.value(m));
  }
  return result;
}

// A curve over the three ways of counting what has been spent.
Line curve(const Run& run, std::string label, std::string_view column, LineStyle style = LineStyle::solid) {
  return {.label = std::move(label),
          .style = style,
          .x = {values(run, "parallel_time"), values(run, "gradient_evaluations"),
                values(run, "bytes_exchanged")},
          .y = values(run, column)};
}

Plot plot(std::string title, std::string y_label, bool log, std::vector<Line> lines) {
  return {
      .title = std::move(title),
      .y_label = std::move(y_label),
      .y_log = log,
      .x_axes = {{.label = "parallel time"}, {.label = "gradient evaluations"}, {.label = "bytes exchanged"}},
      .lines = std::move(lines)};
}

// Mean model, median agent with the band of all agents, worst agent.
std::vector<Line> model_curves(const Run& run, const std::string& what, bool greater_is_better) {
  std::vector<Line> lines{curve(run, "mean model", what + "_mean_model")};
  if (run.last().agents.size() < 2) return lines;
  Line median = curve(run, "median agent", what + "_agent_median");
  median.y_low = values(run, what + "_agent_min");
  median.y_high = values(run, what + "_agent_max");
  lines.push_back(std::move(median));
  lines.push_back(curve(run, "worst agent", what + (greater_is_better ? "_agent_min" : "_agent_max")));
  return lines;
}

void add_headline(const Run& run, Report& report) {
  const Measurement& m = run.last();
  std::vector<Figure> figures;
  const bool classifies = std::isfinite(m.mean_model.accuracy);
  if (classifies) {
    figures.push_back({"mean model", percent(m.mean_model.accuracy), "test accuracy"});
    figures.push_back(
        {"median agent", percent(m.agent_accuracy.median), "of " + thousands(m.agents.size()) + " scored"});
    figures.push_back({"worst agent", percent(m.agent_accuracy.min), ""});
  } else {
    figures.push_back({"mean model", significant(m.mean_model.loss), "loss"});
    figures.push_back({"median agent", significant(m.agent_loss.median), "loss"});
  }
  figures.push_back({"Γ", significant(m.gamma),
                     std::isfinite(m.gamma_theory) ? "theory " + significant(m.gamma_theory) : ""});
  figures.push_back(
      {"gradients", thousands(m.account.gradient_evaluations), "in " + duration(run.outcome.seconds)});
  figures.push_back({"exchanged", bytes(static_cast<double>(m.account.bytes)),
                     says_what_it_sends(run) ? fixed(bits_per_parameter(run), 2) + " bits a parameter" : ""});
  report.figures(std::move(figures));
}

void add_spread(const Run& run, Report& report) {
  const Measurement& m = run.last();
  if (m.agents.size() < 2) return;
  const bool classifies = std::isfinite(m.mean_model.accuracy);
  Histogram histogram{.title = "The agents at the end",
                      .x_label = classifies ? "test accuracy" : "loss",
                      .values = {},
                      .markers = {{"mean model", classifies ? m.mean_model.accuracy : m.mean_model.loss}}};
  for (const sim::Score& score : m.agents)
    histogram.values.push_back(classifies ? score.accuracy : score.loss);
  report.histogram(std::move(histogram));
}

std::string schedule_text(const Schedule& schedule) {
  switch (schedule.shape) {
    case Schedule::Shape::constant:
      return "constant";
    case Schedule::Shape::inverse:
      return "1/t, horizon " + significant(schedule.horizon);
    case Schedule::Shape::inverse_sqrt:
      return "1/sqrt t, horizon " + significant(schedule.horizon);
    case Schedule::Shape::piecewise:
      break;
  }
  std::string text = "piecewise";
  for (std::size_t k = 0; k < schedule.breakpoint_count; ++k) {
    text += ", x " + significant(static_cast<double>(schedule.breakpoints[k].factor)) + " from step " +
            significant(schedule.breakpoints[k].steps);
  }
  return text;
}

// The population engine does not count them.
std::string settled_text(const Run& run) {
  if (!run.outcome.network) return {};
  const sim::NetworkTotals& n = *run.outcome.network;
  return ": " + thousands(n.settled) + " of " + thousands(run.settings.agents - n.byzantine) + " agents";
}

std::string crashes_text(const sim::NetworkTotals& n) {
  return thousands(n.crashes) + " failures, " + thousands(n.restored) + " restarts from a checkpoint";
}

std::string privacy_text(const sim::NetworkTotals& n) {
  return "epsilon " + significant(n.epsilon) + " spent at most, " + thousands(n.releases) + " releases, " +
         thousands(n.withheld) + " exchanges withheld";
}

std::string byzantine_text(const sim::NetworkTotals& n) {
  const std::uint64_t blocks = std::accumulate(n.refused.begin(), n.refused.end(), std::uint64_t{0});
  return thousands(n.byzantine) + (n.byzantine == 1 ? " agent, " : " agents, ") +
         std::string(sim::text(n.lie)) + "; not measured; " + thousands(blocks) +
         " blocks refused by the others";
}

Settings settings_table(const Run& run) {
  const sim::Settings& s = run.settings;
  Settings table{
      {"command", run.command},
      {"version", POPSGD_VERSION},
      {"data", run.data},
      {"model", run.model + ", " + thousands(run.parameters) + " parameters"},
      {"algorithm", run.algorithm},
      {"agents", thousands(s.agents)},
      {"topology", run.topology},
      {"shards", run.shards},
      {"speeds", s.speeds.empty() ? "equal" : "different"},
      {"batch", thousands(s.batch)},
      {"step size", significant(static_cast<double>(s.schedule.eta))},
      {"schedule",
       schedule_text(s.schedule) + (s.clock == sim::Clock::gossip ? ", gossip counter" : ", own counter")},
      {"local steps", std::to_string(s.local_steps.mean) + (s.local_steps.geometric ? " (geometric)" : "")},
      {"merge", s.merge == sim::Merge::average ? "both adopt the average" : "opposite deltas (non-blocking)"},
      {"weight decay", significant(static_cast<double>(s.sgd.weight_decay))},
      {"momentum", significant(static_cast<double>(s.sgd.momentum))},
      {"seed", std::to_string(s.seed)},
      {"threads", std::to_string(run.threads)},
      {"engine", run.engine}};
  if (says_what_it_sends(run))
    table.push_back({"on the wire", sim::text(s.encoding) + ": " + wire_text(run)});
  if (!s.numerics.empty())
    table.push_back({"numbers", numeric_text(s) + "; " + thousands(run.last().account.saturated) +
                                    " cut off at the ends of their types"});
  if (s.schedule.settle > 0)
    table.push_back({"settled", "below step size " + significant(static_cast<double>(s.schedule.settle)) +
                                    settled_text(run)});
  if (!run.link.empty()) table.push_back({"links", run.link});
  if (run.outcome.network) table.push_back({"contacts", run.contacts});
  if (run.outcome.network) {
    const sim::NetworkTotals& n = *run.outcome.network;
    table.push_back({"exchanges", thousands(n.completed) + " completed, " + thousands(n.cut_short) +
                                      " sides cut short, " + thousands(n.in_doubt) + " in doubt"});
    table.push_back({"frames", thousands(n.frames_sent) + " sent, " + thousands(n.frames_delivered) +
                                   " delivered, " + thousands(n.retransmissions) + " chunks sent again"});
    table.push_back({"virtual time", duration(n.virtual_seconds)});
    if (n.crashes > 0) table.push_back({"power failures", crashes_text(n)});
    if (n.releases > 0) table.push_back({"privacy", privacy_text(n)});
    if (n.byzantine > 0) table.push_back({"Byzantine", byzantine_text(n)});
  }
  table.insert(table.end(), run.more.begin(), run.more.end());
  return table;
}

// Counts by reason, every reason named.
template <std::size_t N>
Json by_reason(const std::array<const char*, N>& names, const std::array<std::uint64_t, N>& counts,
               std::size_t first) {
  Json document = Json::object();
  for (std::size_t k = first; k < N; ++k) document[names[k]] = counts[k];
  return document;
}

Json network_json(const Run& run) {
  constexpr auto kDropNames = std::to_array<const char*>(
      {"damaged", "malformed", "unknown", "duplicate", "unexpected", "reflected", "incompatible", "no_room"});
  static_assert(kDropNames.size() == kDrops);
  constexpr std::array<const char*, kRefusals> kRefusalNames{"none",     "not_finite", "out_of_range",
                                                             "checksum", "too_far",    "still"};
  const sim::NetworkTotals& n = *run.outcome.network;
  Json document;
  document["link"] = run.link;
  document["contacts"] = run.contacts;
  document["virtual_seconds"] = n.virtual_seconds;
  document["frames_sent"] = n.frames_sent;
  document["frames_delivered"] = n.frames_delivered;
  document["bytes_sent"] = n.bytes_sent;
  document["completed"] = n.completed;
  document["begun_sides"] = n.begun;
  document["completed_sides"] = n.completed_sides;
  document["cut_short_sides"] = n.cut_short;
  document["one_sided_blocks"] = n.one_sided;
  document["in_doubt"] = n.in_doubt;
  document["retransmissions"] = n.retransmissions;
  document["dropped"] = by_reason(kDropNames, n.dropped, 0);
  document["refused"] = by_reason(kRefusalNames, n.refused, 1);
  document["settled_agents"] = n.settled;
  document["releases"] = n.releases;
  document["withheld"] = n.withheld;
  document["epsilon"] = n.epsilon;
  document["crashes"] = n.crashes;
  document["restored"] = n.restored;
  document["violations"] = n.violations;
  document["byzantine_agents"] = n.byzantine;
  document["byzantine_kind"] = n.byzantine > 0 ? Json(sim::text(n.lie)) : Json(nullptr);
  document["completed_with_byzantine"] = n.with_byzantine;
  return document;
}

}  // namespace

std::string summary_json(const Run& run) {
  const Measurement& m = run.last();
  const double seconds = run.outcome.seconds;
  Json document;
  document["version"] = POPSGD_VERSION;
  document["command"] = run.command;
  document["seed"] = run.settings.seed;
  document["algorithm"] = run.algorithm;
  document["engine"] = run.engine;
  document["data"] = run.data;
  document["model"] = run.model;
  document["agents"] = run.settings.agents;
  document["threads"] = run.threads;
  document["parameters"] = run.parameters;
  document["interactions"] = m.account.interactions;
  document["gradient_evaluations"] = m.account.gradient_evaluations;
  document["parallel_time"] = m.account.parallel_time;
  document["seconds"] = seconds;
  document["measuring_seconds"] = run.outcome.measuring_seconds;
  document["interactions_per_second"] = number(static_cast<double>(m.account.interactions) / seconds);
  document["loss_mean_model"] = number(m.mean_model.loss);
  document["accuracy_mean_model"] = number(m.mean_model.accuracy);
  document["loss_agent_min"] = number(m.agent_loss.min);
  document["loss_agent_median"] = number(m.agent_loss.median);
  document["loss_agent_max"] = number(m.agent_loss.max);
  document["accuracy_agent_min"] = number(m.agent_accuracy.min);
  document["accuracy_agent_median"] = number(m.agent_accuracy.median);
  document["accuracy_agent_max"] = number(m.agent_accuracy.max);
  document["agents_scored"] = m.agents.size();
  document["rows_scored"] = m.rows_scored;
  document["gamma"] = number(m.gamma);
  document["gamma_theory"] = number(m.gamma_theory);
  document["distance_agent_median"] = number(m.distance.median);
  document["distance_agent_max"] = number(m.distance.max);
  document["bytes_exchanged"] = m.account.bytes;
  document["bits_per_parameter"] = number(bits_per_parameter(run));
  document["quantize"] = sim::text(run.settings.encoding);
  document["wrapped_exchanges"] = m.account.wrapped;
  document["numeric"] = numeric_text(run.settings);
  document["saturated"] = m.account.saturated;
  document["peak_rss_bytes"] = peak_rss_bytes();
  if (run.outcome.network) document["network"] = network_json(run);
  document["diverged_at"] = run.outcome.diverged_at ? Json(*run.outcome.diverged_at) : Json(nullptr);
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string metrics_csv(const Run& run) {
  std::string text;
  for (const Column& column : columns()) text += (text.empty() ? "" : ",") + std::string(column.name);
  text += "\n";
  for (const Measurement& m : run.outcome.measurements) {
    bool first = true;
    for (const Column& column : columns()) {
      const double value = column.value(m);
      if (!first) text += ",";
      first = false;
      if (std::isfinite(value)) text += significant(value, 10);
    }
    text += "\n";
  }
  return text;
}

Report simulation_report(const Run& run) {
  Report report("A swarm of " + thousands(run.settings.agents) + " agents learns " + run.data,
                run.algorithm + " with " + run.model + ", popsgd " + POPSGD_VERSION);
  if (run.outcome.diverged_at) {
    report.verdict(false, "the loss stopped being finite at interaction " +
                              thousands(*run.outcome.diverged_at) + ": try a smaller step size");
  }
  add_headline(run, report);
  if (std::isfinite(run.last().mean_model.accuracy)) {
    report.plot(plot("Accuracy on the test set", "accuracy", false, model_curves(run, "accuracy", true)));
  }
  report.plot(plot("Loss on the test set", "loss", true, model_curves(run, "loss", false)));
  std::vector<Line> gamma{curve(run, "measured", "gamma")};
  if (std::isfinite(run.last().gamma_theory))
    gamma.push_back(curve(run, "theory", "gamma_theory", LineStyle::dashed));
  report.plot(plot("Concentration: Γ = Σ |xᵢ − μ|²", "Γ", true, std::move(gamma)));
  if (run.last().agents.size() > 1) {
    report.plot(plot("How the agents close in on the mean model: |xᵢ − μ|", "distance", true,
                     {curve(run, "median agent", "distance_agent_median"),
                      curve(run, "worst agent", "distance_agent_max")}));
  }
  if (std::isfinite(run.last().gamma_theory)) {
    report.text(
        "The theory line balances what steps add to Γ and what averaging removes. It is exact for least "
        "squares and pure "
        "noise on the complete graph. Elsewhere it takes the gradients' size from samples and leaves out "
        "curvature and "
        "differences between shards; on other graphs its contraction is the slowest the graph allows.");
  }
  add_spread(run, report);
  report.settings(settings_table(run));
  return report;
}

void write_results(const Run& run, const std::string& folder) {
  const std::filesystem::path out(folder);
  write_file_atomically(out / "summary.json", summary_json(run));
  write_file_atomically(out / "metrics.csv", metrics_csv(run));
  write_file_atomically(out / "report.html", simulation_report(run).html());
}

std::string summary_text(const Run& run) {
  const Measurement& m = run.last();
  const bool classifies = std::isfinite(m.mean_model.accuracy);
  std::string text = run.algorithm + ": " + thousands(run.settings.agents) + " agents, " + run.data + ", " +
                     run.model + " (" + thousands(run.parameters) + " parameters)\n";
  text += "  mean model  loss " + significant(m.mean_model.loss);
  if (classifies) text += ", accuracy " + percent(m.mean_model.accuracy, 2);
  text += "\n";
  if (m.agents.size() > 1) {
    const std::string of = " (worst, median, best of " + thousands(m.agents.size()) + ")\n";
    text += classifies
                ? "  agents      accuracy " + percent(m.agent_accuracy.min, 2) + " / " +
                      percent(m.agent_accuracy.median, 2) + " / " + percent(m.agent_accuracy.max, 2) + of
                : "  agents      loss " + significant(m.agent_loss.max) + " / " +
                      significant(m.agent_loss.median) + " / " + significant(m.agent_loss.min) + of;
    text += "  Gamma       " + significant(m.gamma);
    if (std::isfinite(m.gamma_theory)) text += " (theory " + significant(m.gamma_theory) + ")";
    text += "\n";
    text += "  distance    " + significant(m.distance.median) + " / " + significant(m.distance.max) +
            " from the mean model (median, worst)\n";
  }
  text += "  spent       " + thousands(m.account.interactions) + " interactions, " +
          thousands(m.account.gradient_evaluations) + " gradients, " +
          bytes(static_cast<double>(m.account.bytes)) + " exchanged\n";
  if (says_what_it_sends(run)) text += "  wire        " + wire_text(run) + "\n";
  if (run.outcome.network) {
    const sim::NetworkTotals& n = *run.outcome.network;
    text += "  network     " + duration(n.virtual_seconds) + " of virtual time, " +
            thousands(n.frames_delivered) + " of " + thousands(n.frames_sent) + " frames delivered, " +
            thousands(n.retransmissions) + " chunks sent again, " + thousands(n.cut_short) +
            " sides cut short, " + thousands(n.in_doubt) + " in doubt\n";
    if (n.crashes > 0) text += "  power       " + crashes_text(n) + "\n";
    if (n.releases > 0) text += "  privacy     " + privacy_text(n) + "\n";
    if (n.byzantine > 0) text += "  Byzantine   " + byzantine_text(n) + "\n";
    if (n.violations > 0)
      text += "  VIOLATED    " + thousands(n.violations) + " times, first: " + n.first_violation + "\n";
  }
  text += "  time        " + duration(run.outcome.seconds) + " learning, " +
          duration(run.outcome.measuring_seconds) + " measuring\n";
  return text;
}

}  // namespace popsgd::command
