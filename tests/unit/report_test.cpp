#include "report/report.h"

#include "output/atomic_file.h"

#include <popsgd/sim/error.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <regex>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

using nlohmann::json;
using namespace popsgd::command;
namespace fs = std::filesystem;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

const std::string opening = R"(<script id="document" type="application/json">)";

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// The text of the embedded document, as an HTML parser would cut it out.
std::string embedded(const std::string& page) {
  REQUIRE(count(page, opening) == 1);
  const std::size_t begin = page.find(opening) + opening.size();
  return page.substr(begin, page.find("</script", begin) - begin);
}

json document(const Report& report) {
  return json::parse(embedded(report.html()));
}

Plot loss_plot() {
  return {"Test loss",
          "cross-entropy",
          true,
          {{"parallel time"}, {"bytes", true}},
          {{"mean model", LineStyle::solid, {{0, 1, 2}, {0, 10, 20}}, {2.5, 1.25, 0.5}},
           {"theory", LineStyle::dashed, {{0, 2}, {}}, {0.4, 0.4}, {0.3, 0.3}, {0.5, 0.5}}}};
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (fs::temp_directory_path() / "popsgd-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { fs::remove_all(path_); }

  fs::path operator/(const char* name) const { return path_ / name; }
  const fs::path& path() const { return path_; }

  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// While it lives, no file grows beyond `bytes`: the one full disk that root meets as well.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : ignored_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limit{bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, ignored_);
  }

 private:
  void (*ignored_)(int);
  rlimit before_{};
};

}  // namespace

TEST_CASE("report: the page refers to nothing outside itself") {
  Report report("A run", "64 agents");
  report.plot(loss_plot());
  std::string page = report.html();

  const std::string svg_namespace = "http://www.w3.org/2000/svg";
  for (std::size_t at; (at = page.find(svg_namespace)) != std::string::npos;)
    page.erase(at, svg_namespace.size());
  for (const char* part :
       {"http://", "https://", "@import", "url(", "<link", "<iframe", "fetch(", "import("}) {
    CAPTURE(part);
    CHECK(count(page, part) == 0);
  }
  CHECK_FALSE(std::regex_search(page, std::regex(R"(\s(src|srcset|href|action)\s*=\s*["'])")));
  CHECK(count(page, "default-src 'none'") == 1);
  CHECK(count(page, "<noscript>") == 1);
}

TEST_CASE("report: the page is whole and its slot is filled once") {
  const std::string page = Report("A run", "{{document}}").html();
  CHECK(page.starts_with("<!doctype html>"));
  CHECK(page.ends_with("</html>\n"));
  CHECK(count(page, "{{document}}") == 1);  // the subtitle, in the document
}

TEST_CASE("report: the embedded document holds every section in order") {
  Report report("A run", "64 agents");
  report.heading("Learning");
  report.text("One paragraph.");
  report.figures({{"accuracy", "97.8 %", "mean model"}});
  report.verdict(true, "Gamma stays below its bound");
  report.plot(loss_plot());
  report.histogram({"Accuracy", "accuracy", {0.5, 0.75}, {{"mean model", 0.625}}});
  report.table({"Final", {"model", "loss"}, {{"mean", "0.5"}}, "a note"});
  report.settings({{"--agents", "64"}, {"--seed", "7"}});

  CHECK(document(report) == json::parse(R"({
    "title": "A run", "subtitle": "64 agents", "sections": [
      {"kind": "heading", "text": "Learning"},
      {"kind": "text", "text": "One paragraph."},
      {"kind": "figures", "figures": [{"label": "accuracy", "value": "97.8 %", "note": "mean model"}]},
      {"kind": "verdict", "pass": true, "text": "Gamma stays below its bound"},
      {"kind": "plot", "title": "Test loss", "yLabel": "cross-entropy", "yLog": true,
       "xAxes": [{"label": "parallel time", "log": false}, {"label": "bytes", "log": true}],
       "lines": [{"label": "mean model", "style": "solid", "x": [[0.0, 1.0, 2.0], [0.0, 10.0, 20.0]],
                  "y": [2.5, 1.25, 0.5], "low": [], "high": []},
                 {"label": "theory", "style": "dashed", "x": [[0.0, 2.0], []],
                  "y": [0.4, 0.4], "low": [0.3, 0.3], "high": [0.5, 0.5]}]},
      {"kind": "histogram", "title": "Accuracy", "xLabel": "accuracy", "values": [0.5, 0.75],
       "markers": [{"label": "mean model", "value": 0.625}]},
      {"kind": "table", "title": "Final", "columns": ["model", "loss"], "rows": [["mean", "0.5"]],
       "note": "a note"},
      {"kind": "settings", "pairs": [["--agents", "64"], ["--seed", "7"]]}
    ]})"));
}

TEST_CASE("report: hostile text is inert and comes back as it was") {
  for (const std::string hostile :
       {"</script><script>alert(1)</script>", "<!-- <script>", "]]> --> <img src=x onerror=alert(1)>",
        "\"'&\\ \n\t\x01 \\u003c/script>", "</SCRIPT >", "\xe2\x80\xa8 line separator"}) {
    CAPTURE(hostile);
    Report report(hostile, hostile);
    report.text(hostile);
    report.settings({{hostile, hostile}});
    report.table({hostile, {hostile}, {{hostile}}, hostile});

    const std::string text = embedded(report.html());
    CHECK(count(text, "<") == 0);
    const json parsed = json::parse(text);
    CHECK(parsed["title"] == hostile);
    CHECK(parsed["sections"][1]["pairs"][0][1] == hostile);
    CHECK(parsed["sections"][2]["rows"][0][0] == hostile);
  }
}

TEST_CASE("report: a path that is not UTF-8 is shown with replacement characters") {
  Report report("A run", "");
  report.settings({{"--out", "runs/\xff\xfe"}});
  CHECK(document(report)["sections"][0]["pairs"][0][1] == "runs/\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("report: values that are not finite become null") {
  Report report("A run", "");
  report.plot({"Loss",
               "loss",
               false,
               {{"time"}},
               {{"mean",
                 LineStyle::points,
                 {{0, not_a_number, 2}},
                 {not_a_number, infinity, 0.1},
                 {-infinity, 0, 0},
                 {1, 1, 1}}}});
  report.histogram({"Accuracy", "accuracy", {not_a_number, 0.5}, {{"mean model", infinity}}});

  const json sections = document(report)["sections"];
  const json& line = sections[0]["lines"][0];
  CHECK(line["x"] == json::parse("[[0.0, null, 2.0]]"));
  CHECK(line["y"] == json::parse("[null, null, 0.1]"));  // 0.1 exactly: numbers survive the round trip
  CHECK(line["low"][0].is_null());
  CHECK(sections[1]["values"] == json::parse("[null, 0.5]"));
  CHECK(sections[1]["markers"][0]["value"].is_null());
}

TEST_CASE("report: lengths that contradict each other are refused") {
  Report report("A run", "");
  const auto refuses = [&](auto change) {
    Plot plot = loss_plot();
    change(plot);
    CHECK_THROWS_AS(report.plot(plot), std::invalid_argument);
  };
  refuses([](Plot& plot) { plot.x_axes.clear(); });
  refuses([](Plot& plot) { plot.lines[0].x.pop_back(); });
  refuses([](Plot& plot) { plot.lines[0].x[0].pop_back(); });
  refuses([](Plot& plot) { plot.lines[1].y_low.clear(); });
  refuses([](Plot& plot) { plot.lines[1].y_low = plot.lines[1].y_high = {1}; });
  CHECK_THROWS_WITH(report.table({"Final", {"model", "loss"}, {{"mean"}}, ""}),
                    "report: 'Final': every row needs one cell per column");
  CHECK(document(report)["sections"].empty());
}

TEST_CASE("atomic file: contents are written whole and replace the old ones") {
  const TemporaryDirectory directory;
  const std::string binary("a\0b\xff\n", 5);
  for (const std::string& contents :
       {std::string("first"), std::string(1 << 20, 'x'), std::string(), binary}) {
    write_file_atomically(directory / "summary.json", contents);
    CHECK((read(directory / "summary.json") == contents));
    CHECK(directory.entries() == 1);
  }
}

TEST_CASE("atomic file: a relative path is written beside the program's working directory") {
  const TemporaryDirectory directory;
  const fs::path before = fs::current_path();
  fs::current_path(directory.path());
  write_file_atomically("summary.json", "{}");
  fs::current_path(before);
  CHECK(read(directory / "summary.json") == "{}");
}

TEST_CASE("atomic file: a symbolic link is followed, not replaced") {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "real.json", "old");
  fs::create_symlink("real.json", directory / "link.json");
  write_file_atomically(directory / "link.json", "{}");
  CHECK(fs::is_symlink(directory / "link.json"));
  CHECK(read(directory / "real.json") == "{}");
}

TEST_CASE("atomic file: a write that fails half-way leaves the old file and no temporary file") {
  const TemporaryDirectory directory;
  const std::string path = (directory / "summary.json").string();
  write_file_atomically(path, "old");
  {
    const FileSizeLimit limit(4096);
    CHECK_THROWS_WITH_AS(write_file_atomically(path, std::string(8192, 'x')),
                         ("cannot write '" + path + "': File too large").c_str(), popsgd::sim::Error);
  }
  CHECK(read(path) == "old");
  CHECK(directory.entries() == 1);
}

TEST_CASE("atomic file: what cannot be a file is refused with its path and the reason") {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "file", "old");
  const auto refused = [](const fs::path& path, const std::string& reason) {
    CHECK_THROWS_WITH_AS(write_file_atomically(path, "new"),
                         ("cannot write '" + path.string() + "': " + reason).c_str(), popsgd::sim::Error);
  };
  refused(directory.path(), "Is a directory");
  refused(directory / "file/inside", "Not a directory");
  refused(directory / "absent/summary.json", "No such file or directory");
  fs::create_symlink("nothing", directory / "link");
  refused(directory / "link", "No such file or directory");
  CHECK(fs::is_symlink(directory / "link"));
  refused("/dev/null", "it is not a regular file");
  CHECK(fs::is_character_file("/dev/null"));
  CHECK(read(directory / "file") == "old");
  CHECK(directory.entries() == 2);
}

TEST_CASE("output directory: it is made with its parents, left empty, and accepted when it exists") {
  const TemporaryDirectory directory;
  for (const char* name : {"a/b/c", "a/b/c", "a/b/c/", "d/"}) {
    CAPTURE(name);
    prepare_output_directory(directory / name);
    CHECK(fs::is_empty(directory / name));
  }
}

TEST_CASE("output directory: one that cannot be made or written is refused") {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "file", "");
  const std::string path = (directory / "file").string();
  CHECK_THROWS_WITH_AS(prepare_output_directory(path),
                       ("cannot create directory '" + path + "': Not a directory").c_str(),
                       popsgd::sim::Error);
  CHECK_THROWS_AS(prepare_output_directory(directory / "file/inside"), popsgd::sim::Error);

  const FileSizeLimit limit(0);
  CHECK_THROWS_WITH_AS(prepare_output_directory(directory / "full"),
                       ("cannot write '" + (directory / "full").string() + "': File too large").c_str(),
                       popsgd::sim::Error);
  CHECK(fs::is_empty(directory / "full"));
}
