#include "report.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include <nlohmann/json.hpp>

namespace popsgd::command {

extern const std::string_view report_page;  // page.html, embedded by embed.cmake

namespace {

using nlohmann::json;

void require(bool holds, const std::string& where, std::string_view rule) {
  if (!holds) throw std::invalid_argument("report: '" + where + "': " + std::string(rule));
}

void check(const Table& table) {
  const auto fits = [&](const auto& row) { return row.size() == table.columns.size(); };
  require(std::ranges::all_of(table.rows, fits), table.title, "every row needs one cell per column");
}

void check(const Line& line, std::size_t x_axes) {
  const std::size_t length = line.y.size();
  const auto fits = [&](const auto& x) { return x.empty() || x.size() == length; };
  require(line.x.size() == x_axes, line.label, "a line needs one x vector per x axis");
  require(std::ranges::all_of(line.x, fits), line.label, "x and y differ in length");
  require(line.y_low.size() == line.y_high.size(), line.label, "a band needs both y_low and y_high");
  require(line.y_low.empty() || line.y_low.size() == length, line.label, "band and y differ in length");
}

void check(const Plot& plot) {
  require(!plot.x_axes.empty(), plot.title, "a plot needs an x axis");
  for (const Line& line : plot.lines) check(line, plot.x_axes.size());
}

std::string_view name(LineStyle style) {
  switch (style) {
    case LineStyle::solid:
      return "solid";
    case LineStyle::dashed:
      return "dashed";
    case LineStyle::points:
      return "points";
  }
  return "solid";
}

}  // namespace

// Found by argument-dependent lookup when a vector of them becomes an array. Values that are not finite
// stay in the vectors: nlohmann-json writes them as null, which the page draws as a gap.
static void to_json(json& out, const Figure& figure) {
  out = {{"label", figure.label}, {"value", figure.value}, {"note", figure.note}};
}

static void to_json(json& out, const Axis& axis) {
  out = {{"label", axis.label}, {"log", axis.log}};
}

static void to_json(json& out, const Line& line) {
  out = {{"label", line.label}, {"style", name(line.style)}, {"x", line.x},
         {"y", line.y},         {"low", line.y_low},         {"high", line.y_high}};
}

static void to_json(json& out, const Marker& marker) {
  out = {{"label", marker.label}, {"value", marker.value}};
}

/// A section as page.html reads it: `kind` names the function that renders it.
struct Report::ToJson {
  json operator()(const Heading& heading) const { return {{"kind", "heading"}, {"text", heading.words}}; }
  json operator()(const std::string& text) const { return {{"kind", "text"}, {"text", text}}; }
  json operator()(const std::vector<Figure>& row) const { return {{"kind", "figures"}, {"figures", row}}; }
  json operator()(const Table& table) const {
    return {{"kind", "table"},
            {"title", table.title},
            {"columns", table.columns},
            {"rows", table.rows},
            {"note", table.note}};
  }
  json operator()(const Verdict& verdict) const {
    return {{"kind", "verdict"}, {"pass", verdict.pass}, {"text", verdict.text}};
  }
  json operator()(const Plot& plot) const {
    return {{"kind", "plot"},     {"title", plot.title},  {"yLabel", plot.y_label},
            {"yLog", plot.y_log}, {"xAxes", plot.x_axes}, {"lines", plot.lines}};
  }
  json operator()(const Histogram& histogram) const {
    return {{"kind", "histogram"},
            {"title", histogram.title},
            {"xLabel", histogram.x_label},
            {"values", histogram.values},
            {"markers", histogram.markers}};
  }
  json operator()(const Settings& settings) const {
    json pairs = json::array();
    for (const auto& [key, value] : settings) pairs.push_back(json::array({key, value}));
    return {{"kind", "settings"}, {"pairs", std::move(pairs)}};
  }
};

namespace {

// Inside <script> only '<' can end the element or open a comment; in JSON it occurs only within strings,
// where its escape means the same.
std::string inert(const json& document) {
  const std::string text = document.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (c == '<')
      escaped += "\\u003c";
    else
      escaped += c;
  }
  return escaped;
}

}  // namespace

Report::Report(std::string title, std::string subtitle)
    : title_(std::move(title)), subtitle_(std::move(subtitle)) {}

void Report::heading(std::string words) {
  sections_.emplace_back(Heading{std::move(words)});
}

void Report::text(std::string paragraph) {
  sections_.emplace_back(std::move(paragraph));
}

void Report::figures(std::vector<Figure> row) {
  sections_.emplace_back(std::move(row));
}

void Report::table(Table table) {
  check(table);
  sections_.emplace_back(std::move(table));
}

void Report::verdict(bool pass, std::string text) {
  sections_.emplace_back(Verdict{pass, std::move(text)});
}

void Report::plot(Plot plot) {
  check(plot);
  sections_.emplace_back(std::move(plot));
}

void Report::histogram(Histogram histogram) {
  sections_.emplace_back(std::move(histogram));
}

void Report::settings(Settings pairs) {
  sections_.emplace_back(std::move(pairs));
}

std::string Report::html() const {
  json sections = json::array();
  for (const Section& section : sections_) sections.push_back(std::visit(ToJson{}, section));
  const json document = {{"title", title_}, {"subtitle", subtitle_}, {"sections", std::move(sections)}};

  constexpr std::string_view slot = "{{document}}";
  const std::size_t at = report_page.find(slot);
  std::string page(report_page.substr(0, at));
  page += inert(document);
  page += report_page.substr(at + slot.size());
  return page;
}

}  // namespace popsgd::command
