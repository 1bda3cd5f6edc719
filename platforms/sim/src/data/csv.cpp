// Text of separated values, quoted as in RFC 4180.
#include "readers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace popsgd::sim {
namespace {

using Cells = std::vector<std::string>;

/// A place in the file, as errors name it; lines and columns count from 1.
std::string place(const File& file, std::size_t line, std::size_t column) {
  return file.name + ": line " + std::to_string(line) + ", column " + std::to_string(column);
}

/// Takes a text apart into lines and cells; a quoted cell may contain separators and line ends.
class CsvLines {
 public:
  explicit CsvLines(const File& file)
      : file_(file), rest_(text_of(file)), separator_(find_separator(rest_)) {}

  /// Reads the next line that is not blank; false at the end of the text.
  bool next(Cells& cells) {
    do {
      if (rest_.empty()) return false;
      read_line(cells);
    } while (cells.size() == 1 && cells[0].empty());
    return true;
  }

  /// The number of the line last read: of its first, if it has line ends in quotes.
  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  static std::string_view text_of(const File& file) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    std::string_view text(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    return text;
  }

  /// A comma may be part of a cell of a file separated by tabs or semicolons, so the comma comes last.
  static char find_separator(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \r\n"), text.size()));
    bool tab = false;
    bool semicolon = false;
    bool quoted = false;
    for (const char c : text) {
      if (c == '"') quoted = !quoted;
      if (quoted) continue;
      if (c == '\n') break;
      tab = tab || c == '\t';
      semicolon = semicolon || c == ';';
    }
    return tab ? '\t' : semicolon ? ';' : ',';
  }

  void read_line(Cells& cells) {
    cells.clear();
    line_ = next_line_;
    for (;;) {
      skip_blanks();
      cells.push_back(!rest_.empty() && rest_.front() == '"' ? quoted_cell(cells.size() + 1) : plain_cell());
      if (rest_.empty()) break;
      const char stop = rest_.front();
      rest_.remove_prefix(1);
      if (stop == '\n') break;
    }
    ++next_line_;
  }

  [[nodiscard]] bool blank(char c) const { return (c == ' ' || c == '\t' || c == '\r') && c != separator_; }

  void skip_blanks() {
    while (!rest_.empty() && blank(rest_.front())) rest_.remove_prefix(1);
  }

  std::string plain_cell() {
    const auto end = std::ranges::find_if(rest_, [this](char c) { return c == separator_ || c == '\n'; });
    std::string cell(rest_.begin(), end);
    rest_.remove_prefix(cell.size());
    while (!cell.empty() && blank(cell.back())) cell.pop_back();
    return cell;
  }

  /// A quote inside is written twice.
  std::string quoted_cell(std::size_t column) {
    std::string cell;
    bool doubled = false;
    do {
      rest_.remove_prefix(1);
      const std::size_t end = rest_.find('"');
      if (end == std::string_view::npos) throw Error(place(file_, line_, column) + ": a quote is not closed");
      if (doubled) cell += '"';
      cell += rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      doubled = !rest_.empty() && rest_.front() == '"';
    } while (doubled);
    next_line_ += static_cast<std::size_t>(std::ranges::count(cell, '\n'));
    skip_blanks();
    if (rest_.empty() || rest_.front() == separator_ || rest_.front() == '\n') return cell;
    throw Error(place(file_, line_, column) + ": there is text after the closing quote");
  }

  const File& file_;
  std::string_view rest_;
  char separator_;
  std::size_t line_ = 0;
  std::size_t next_line_ = 1;
};

/// A cell as an error message can show it: on one line and not too long.
std::string shown(const std::string& cell) {
  constexpr std::size_t kMost = 40;
  std::string text = cell.substr(0, kMost);
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' '; }, '?');
  return "'" + text + (cell.size() > kMost ? "...'" : "'");
}

/// The rows under the header, and where the next one is in the file.
class CsvTable {
 public:
  CsvTable(const File& file, const std::string& label);

  /// Reads all rows; labels are kept as text, but must be numbers for a regression.
  Dataset read(Task task);

 private:
  [[nodiscard]] std::size_t find_label(const std::string& label) const;
  [[nodiscard]] bool at_header() const;
  void append_row(Task task);
  [[nodiscard]] float number(std::size_t column) const;
  [[nodiscard]] const std::string& word(std::size_t column) const;
  [[noreturn]] void fail(std::size_t column, const std::string& why) const {
    throw Error(place(file_, lines_.line(), column + 1) + ": " + why);
  }

  const File& file_;
  CsvLines lines_;
  Cells cells_;  ///< the line last read
  std::size_t columns_ = 0;
  std::size_t label_ = 0;
  Dataset data_;
  std::vector<std::string> words_;
};

CsvTable::CsvTable(const File& file, const std::string& label) : file_(file), lines_(file) {
  if (!lines_.next(cells_)) {
    throw Error(file.name + ": is empty; a CSV file has lines of numbers and a label");
  }
  columns_ = cells_.size();
  if (columns_ < 2) {
    throw Error(file.name + ": line " + std::to_string(lines_.line()) +
                " has one column; features and a label are needed, separated by a comma, semicolon or tab");
  }
  label_ = find_label(label);
  const bool named = !label.empty() && !to_integer(label);
  if ((named || at_header()) && !lines_.next(cells_)) {
    throw Error(file.name + ": has no rows under its header");
  }
}

/// A name is looked for in the first line, which holds the names if there are any.
std::size_t CsvTable::find_label(const std::string& label) const {
  if (label.empty()) return columns_ - 1;
  if (const auto index = to_integer(label)) {
    if (*index >= 1 && static_cast<unsigned long long>(*index) <= columns_) {
      return static_cast<std::size_t>(*index - 1);
    }
    throw Error(file_.name + ": label=" + label + " is not a column; they count from 1 to " +
                std::to_string(columns_));
  }
  const auto column = std::ranges::find(cells_, label);
  if (column != cells_.end()) return static_cast<std::size_t>(column - cells_.begin());
  const std::vector<std::string_view> names(cells_.begin(), cells_.end());
  throw Error(file_.name + ": no column is named " + shown(label) + suggest(label, names));
}

/// A feature that is no number must be a column's name. So must a label above one that is a number, while
/// a word among words is a label already.
bool CsvTable::at_header() const {
  CsvLines following = lines_;
  Cells second;
  const bool label_below = following.next(second) && label_ < second.size() && to_real(second[label_]);
  for (std::size_t column = 0; column < columns_; ++column) {
    const bool name = !cells_[column].empty() && !to_real(cells_[column]);
    if (name && (column != label_ || label_below)) return true;
  }
  return false;
}

Dataset CsvTable::read(Task task) {
  data_.features = columns_ - 1;
  do append_row(task);
  while (lines_.next(cells_));
  attach(encode_labels(words_, task), 0, data_);
  return std::move(data_);
}

void CsvTable::append_row(Task task) {
  if (cells_.size() != columns_) {
    throw Error(file_.name + ": line " + std::to_string(lines_.line()) + " has " +
                std::to_string(cells_.size()) + " cells, but the first line has " + std::to_string(columns_));
  }
  for (std::size_t column = 0; column < columns_; ++column) {
    if (column != label_) {
      data_.floats.push_back(number(column));
    } else {
      if (task == Task::regression) static_cast<void>(number(column));
      words_.push_back(word(column));
    }
  }
  ++data_.rows;
}

float CsvTable::number(std::size_t column) const {
  const std::string& cell = word(column);
  const auto value = to_real(cell);
  if (!value) fail(column, shown(cell) + " is not a number; only labels of classes may be words");
  return static_cast<float>(*value);
}

/// The cell, which is not empty and not a number out of range.
const std::string& CsvTable::word(std::size_t column) const {
  const std::string& cell = cells_[column];
  if (cell.empty()) fail(column, "the cell is empty; fill it or remove the row");
  const auto value = to_real(cell);
  if (value && !(std::abs(*value) <= std::numeric_limits<float>::max())) {
    fail(column, shown(cell) + " is not a finite number that a float can hold");
  }
  return cell;
}

}  // namespace

Dataset read_csv(const File& file, const std::string& label, Task task) {
  return CsvTable(file, label).read(task);
}

}  // namespace popsgd::sim
