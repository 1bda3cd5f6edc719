// A report: titled sections in reading order, written as one HTML page that needs nothing but itself.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace popsgd::command {

/// A headline number, already formatted: {"mean accuracy", "97.8 %", "of 64 agents"}. `note` may be empty.
struct Figure {
  std::string label;
  std::string value;
  std::string note;
};

/// Cells are text; a column in which every cell reads as a number is aligned to the right.
/// Every row has columns.size() cells. `title` and `note` may be empty.
struct Table {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::string note;
};

/// Whether a claim held, and the sentence that says which: {true, "Gamma stays below its bound"}.
struct Verdict {
  bool pass = false;
  std::string text;
};

struct Axis {
  std::string label;
  bool log = false;
};

/// Measurements are solid lines or points. Theory is dashed: a single dashed line is drawn in ink, several
/// take the colours of the measurements in order (the k-th theory line belongs to the k-th measurement).
enum class LineStyle { solid, dashed, points };

/// One curve: y.size() values, at x[c][i] on the plot's c-th x axis.
/// x has one vector per x axis; an empty one leaves the line out of that choice.
/// y_low and y_high, both empty or both y.size() long, shade a band around the line.
/// A value that is not finite, or not positive on a logarithmic axis, leaves a gap.
struct Line {
  std::string label;
  LineStyle style = LineStyle::solid;
  std::vector<std::vector<double>> x;
  std::vector<double> y;
  std::vector<double> y_low = {};
  std::vector<double> y_high = {};
};

/// `x_axes` are choices the reader switches between (parallel time, gradient evaluations, bytes);
/// the first is shown, and plots that offer the same label switch together. At least one is required.
struct Plot {
  std::string title;
  std::string y_label;
  bool y_log = false;
  std::vector<Axis> x_axes;
  std::vector<Line> lines;
};

/// A vertical line across a histogram, such as the mean model among its agents.
struct Marker {
  std::string label;
  double value = 0;
};

/// How one quantity spreads over the agents: one value each. Values that are not finite are counted and
/// named beside the plot rather than dropped in silence.
struct Histogram {
  std::string title;
  std::string x_label;
  std::vector<double> values;
  std::vector<Marker> markers = {};
};

/// What was run: {"--agents", "64"}, in order.
using Settings = std::vector<std::pair<std::string, std::string>>;

class Report {
 public:
  Report(std::string title, std::string subtitle);

  /// Each call appends a section. Text of every kind is shown as it is: never read as HTML, and bytes that
  /// are not UTF-8 are shown as U+FFFD. Lengths that contradict the rules above throw std::invalid_argument.
  void heading(std::string words);
  void text(std::string paragraph);
  void figures(std::vector<Figure> row);
  void table(Table table);
  void verdict(bool pass, std::string text);
  void plot(Plot plot);
  void histogram(Histogram histogram);
  void settings(Settings pairs);

  /// The whole page. It loads nothing, so it opens from a file, offline, and keeps as an artefact of the run.
  [[nodiscard]] std::string html() const;

 private:
  struct Heading {
    std::string words;
  };
  using Section =
      std::variant<Heading, std::string, std::vector<Figure>, Table, Verdict, Plot, Histogram, Settings>;
  struct ToJson;

  std::string title_;
  std::string subtitle_;
  std::vector<Section> sections_;
};

}  // namespace popsgd::command
