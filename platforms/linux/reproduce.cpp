#include "reproduce.h"

#include "format.h"
#include "output/atomic_file.h"
#include "progress.h"
#include "reproduce/claim.h"

#include <popsgd/sim/error.h>
#include <popsgd/version.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace popsgd::command {
namespace {

using Json = nlohmann::ordered_json;

std::vector<Claim> chosen(const std::string& name) {
  const auto all = claims();
  if (name == "all") return {all.begin(), all.end()};
  std::vector<std::string_view> names{"all"};
  for (const Claim& claim : all) {
    if (claim.name == name) return {claim};
    names.push_back(claim.name);
  }
  std::string list;
  for (const std::string_view known : names) list += (list.empty() ? "" : ", ") + std::string(known);
  throw sim::Error("no claim is called '" + name + "'" + sim::suggest(name, names) + "; the claims are " +
                   list);
}

// Columns padded to their widest cell; numbers look best flush right.
void print(const Table& table) {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    std::size_t width = table.columns[c].size();
    for (const auto& row : table.rows) width = std::max(width, row[c].size());
    widths.push_back(width);
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    for (std::size_t c = 0; c < cells.size(); ++c) {
      std::printf(c == 0 ? "  %-*s" : "  %*s", static_cast<int>(widths[c]), cells[c].c_str());
    }
    std::puts("");
  };
  std::printf("\n  %s\n", table.title.c_str());
  line(table.columns);
  for (const auto& row : table.rows) line(row);
  std::printf("  (%s)\n", table.note.c_str());
}

void print(const Claim& claim, const Finding& finding) {
  std::printf("%s: %s\n", std::string(claim.name).c_str(), std::string(claim.statement).c_str());
  for (const Table& table : finding.tables) print(table);
  std::printf("\n  %s: %s\n\n", finding.holds ? "HOLDS" : "DOES NOT HOLD", finding.verdict.c_str());
}

void add(const Claim& claim, const Finding& finding, Report& report) {
  report.heading(std::string(claim.statement));
  report.verdict(finding.holds, finding.verdict);
  for (const Plot& plot : finding.plots) report.plot(plot);
  for (const Table& table : finding.tables) report.table(table);
}

Json to_json(const Claim& claim, const Finding& finding) {
  Json document{{"claim", claim.name}, {"holds", finding.holds}, {"verdict", finding.verdict}};
  for (const Table& table : finding.tables) {
    document["tables"].push_back(
        {{"title", table.title}, {"columns", table.columns}, {"rows", table.rows}, {"note", table.note}});
  }
  return document;
}

}  // namespace

void declare_reproduce(CLI::App& app, ReproduceOptions& o) {
  app.footer(R"(
Examples:
  popsgd reproduce all --quick               every claim in about a minute
  popsgd reproduce linear-speedup --out speedup
  popsgd reproduce comparison --json

Exit: 0 every claim held, 1 one did not, 2 the request cannot be carried out)");
  app.add_option(
         "claim", o.claim,
         "convex, non-convex, linear-speedup, concentration, comparison, byzantine, quantized, fixed-point "
         "or all")
      ->required();
  app.add_flag("--quick", o.quick, "Fewer repeats: all claims in under a minute");
  app.add_option("--seed", o.seed, "Everything random follows from it")->capture_default_str();
  app.add_option("--threads", o.threads, "Threads; the result does not depend on it [one a core]");
  app.add_option("--out", o.out, "Folder for reproduce.html and reproduce.json")->type_name("DIR");
  app.add_flag("--json", o.json, "Print the findings as JSON");
}

int reproduce(const ReproduceOptions& options) {
  const std::vector<Claim> wanted = chosen(options.claim);
  if (options.seed < 0 || options.threads < 0 || options.threads > 1024) {
    throw sim::Error("--seed is at least 0 and --threads from 0 (one a core) to 1024");
  }
  if (!options.out.empty()) prepare_output_directory(options.out);
  const auto threads = static_cast<std::size_t>(options.threads);
  sim::Workers workers(threads > 0 ? threads : std::max(1U, std::thread::hardware_concurrency()));
  Report report("The claims of PopSGD, re-done",
                "popsgd " POPSGD_VERSION + std::string(options.quick ? ", quick" : ""));
  Json document = Json::array();
  bool all_hold = true;
  for (const Claim& claim : wanted) {
    Finding finding;
    {
      ProgressLine line("thousandths of " + std::string(claim.name), 1000);
      const Effort effort{options.quick, static_cast<std::uint64_t>(options.seed), workers,
                          [&](double share) { line.show(static_cast<std::uint64_t>(1000 * share)); }};
      finding = claim.test(effort);
    }
    all_hold = all_hold && finding.holds;
    if (!options.json) print(claim, finding);
    add(claim, finding, report);
    document.push_back(to_json(claim, finding));
  }
  report.settings(
      {{"command", options.command}, {"version", POPSGD_VERSION}, {"seed", std::to_string(options.seed)}});
  if (options.json) std::printf("%s\n", document.dump(2).c_str());
  if (!options.out.empty()) {
    const std::filesystem::path out(options.out);
    write_file_atomically(out / "reproduce.html", report.html());
    write_file_atomically(out / "reproduce.json", document.dump(2) + "\n");
    if (!options.json) std::printf("report: %s/reproduce.html\n", options.out.c_str());
  }
  return all_hold ? 0 : 1;
}

}  // namespace popsgd::command
