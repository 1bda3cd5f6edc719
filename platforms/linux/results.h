// What a simulation leaves behind: summary.json, metrics.csv and report.html.
#pragma once

#include "report/report.h"

#include <popsgd/sim/experiment.h>

#include <string>

namespace popsgd::command {

/// A finished run and what it was.
struct Run {
  std::string command;  ///< as typed
  std::string data;
  std::string model;
  std::string topology;
  std::string shards;
  std::string algorithm;
  std::string engine;
  std::string link;      ///< as typed
  std::string contacts;  ///< as typed
  const sim::Settings& settings;
  std::uint64_t parameters;
  std::size_t threads;
  const sim::Outcome& outcome;
  Settings more = {};  ///< further rows of the page's table of settings

  [[nodiscard]] const sim::Measurement& last() const { return outcome.measurements.back(); }
};

/// One JSON object; numbers that are not known are null.
[[nodiscard]] std::string summary_json(const Run& run);

/// A row per measurement, with a header line; empty cells where a number is not known.
[[nodiscard]] std::string metrics_csv(const Run& run);

/// The page that shows the run.
[[nodiscard]] Report simulation_report(const Run& run);

/// All three, into a folder. Throws sim::Error.
void write_results(const Run& run, const std::string& folder);

/// A few lines for a terminal.
[[nodiscard]] std::string summary_text(const Run& run);

}  // namespace popsgd::command
