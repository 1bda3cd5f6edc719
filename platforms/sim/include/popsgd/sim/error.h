// What a user can mend: thrown with one clear line, caught once at the command's edge.
#pragma once

#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace popsgd::sim {

/// A request that cannot be carried out as given: what was wrong, where, and what would be right.
/// The command prints what() as one line and exits with status 2.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The candidate closest to `word` by edit distance, as "; did you mean 'mlp:64'?", or "" when none is near.
[[nodiscard]] std::string suggest(std::string_view word, std::span<const std::string_view> candidates);

/// Parses a whole number or a finite real number; `what` names it in the error ("--lr", "d in --data").
[[nodiscard]] long long parse_integer(std::string_view text, std::string_view what);
[[nodiscard]] double parse_real(std::string_view text, std::string_view what);

/// The number that all of `text` spells, or nothing. A real number may come out as nan or infinite: when it
/// is spelled so, or as nan when no double can hold it (1e999).
[[nodiscard]] std::optional<long long> to_integer(std::string_view text);
[[nodiscard]] std::optional<double> to_real(std::string_view text);

}  // namespace popsgd::sim
