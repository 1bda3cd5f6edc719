#include <popsgd/sim/error.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <system_error>
#include <vector>

namespace popsgd::sim {
namespace {

/// The fewest insertions, deletions and substitutions that turn `a` into `b` (Levenshtein, 1966), by the
/// usual table of which one row is kept.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

/// std::from_chars which must use up the whole text: it knows no locale, no leading blanks and no '+'.
template <class Number>
std::errc read_number(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return stop == end ? error : std::errc::invalid_argument;
}

Error not_a(std::string_view kind, std::string_view text, std::string_view what) {
  return Error(std::string(what) + ": '" + std::string(text) + "' is not " + std::string(kind));
}

}  // namespace

std::string suggest(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view nearest;
  std::size_t best = (word.size() + 2) / 3 + 1;  // one slip in three letters is still the same word
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best && distance < candidate.size()) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest.empty() ? "" : "; did you mean '" + std::string(nearest) + "'?";
}

std::optional<long long> to_integer(std::string_view text) {
  long long value = 0;
  return read_number(text, value) == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<double> to_real(std::string_view text) {
  double value = 0.0;
  const std::errc error = read_number(text, value);
  if (error == std::errc::result_out_of_range) return std::numeric_limits<double>::quiet_NaN();
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

long long parse_integer(std::string_view text, std::string_view what) {
  if (const auto value = to_integer(text)) return *value;
  throw not_a("a whole number of at most 18 digits", text, what);
}

double parse_real(std::string_view text, std::string_view what) {
  const auto value = to_real(text);
  if (!value) throw not_a("a number", text, what);
  if (!std::isfinite(*value)) throw not_a("a finite number", text, what);
  return *value;
}

}  // namespace popsgd::sim
