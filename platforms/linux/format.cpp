#include "format.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace popsgd::command {
namespace {

template <typename... Values>
std::string print(const char* format, Values... values) {
  std::array<char, 64> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, values...);
  return {buffer.data(), static_cast<std::size_t>(length)};
}

}  // namespace

std::string thousands(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t place = digits.size(); place > 3; place -= 3) digits.insert(place - 3, ",");
  return digits;
}

std::string significant(double value, int digits) {
  return print("%.*g", digits, value);
}

std::string fixed(double value, int decimals) {
  return print("%.*f", decimals, value);
}

std::string percent(double share, int decimals) {
  return print("%.*f%%", decimals, 100 * share);
}

std::string bytes(double value) {
  constexpr std::array<const char*, 6> kUnits{"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  for (; value >= 999.95 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return print(unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
}

std::string duration(double seconds) {
  if (seconds < 99.95) return print("%.1f s", seconds);
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 6000) return print("%d min %d s", static_cast<int>(whole / 60), static_cast<int>(whole % 60));
  return print("%d h %d min", static_cast<int>(whole / 3600), static_cast<int>(whole % 3600 / 60));
}

}  // namespace popsgd::command
