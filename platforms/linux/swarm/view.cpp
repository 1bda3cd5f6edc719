#include "swarm/view.h"

#include "format.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include <sys/ioctl.h>
#include <unistd.h>

namespace popsgd::command {
namespace {

std::string right(const std::string& text, std::size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

std::string row(std::string_view agent, std::string_view steps, std::string_view loss,
                std::string_view accuracy, std::string_view links, std::string_view exchanges,
                std::string_view state) {
  return right(std::string(agent), 7) + right(std::string(steps), 13) + right(std::string(loss), 10) +
         right(std::string(accuracy), 10) + right(std::string(links), 7) + right(std::string(exchanges), 11) +
         "  " + std::string(state);
}

std::string state_of(const Member& member) {
  if (!member.fate.empty()) return member.fate;
  if (member.ended) return "done";
  if (!member.begun) return "starting";
  return member.settled ? "settled" : "learning";
}

std::string row_of(std::size_t number, const Member& member) {
  return row(std::to_string(number), thousands(member.steps),
             std::isfinite(member.loss) ? fixed(member.loss, 4) : "",
             std::isfinite(member.accuracy) ? percent(member.accuracy) : "", std::to_string(member.links),
             thousands(member.completed), state_of(member));
}

std::string total(std::span<const Member> members, double seconds) {
  const auto [least, most] = std::ranges::minmax_element(members, {}, &Member::steps);
  const auto sum = [&](std::uint64_t Member::*what) {
    return std::accumulate(members.begin(), members.end(), std::uint64_t{0},
                           [what](std::uint64_t before, const Member& one) { return before + one.*what; });
  };
  std::vector<double> accuracies;
  for (const Member& member : members)
    if (std::isfinite(member.accuracy)) accuracies.push_back(member.accuracy);
  std::string text = "popsgd: " + duration(seconds) + "  steps " + thousands(least->steps) + " to " +
                     thousands(most->steps) + "  " + thousands(sum(&Member::completed) / 2) + " exchanges  " +
                     bytes(static_cast<double>(sum(&Member::bytes_sent))) + " sent";
  if (!accuracies.empty()) {
    std::ranges::sort(accuracies);
    text += "  median accuracy " + percent(accuracies[accuracies.size() / 2]);
  }
  return text;
}

}  // namespace

std::vector<std::string> view(std::span<const Member> members, double seconds, std::size_t lines) {
  std::vector<std::string> text;
  const std::size_t room = lines > 3 ? lines - 3 : 0;  // head, total, and where the cursor is
  if (room > 0) text.push_back(row("agent", "steps", "loss", "accuracy", "links", "exchanges", ""));
  const bool all = members.size() <= room;
  const std::size_t shown = all ? members.size() : room - std::min<std::size_t>(room, 1);
  for (std::size_t k = 0; k < shown; ++k) text.push_back(row_of(k + 1, members[k]));
  if (!all && room > 0) text.push_back("    ... and " + std::to_string(members.size() - shown) + " more");
  text.push_back(total(members, seconds));
  return text;
}

Screen::Screen() : terminal_(isatty(STDERR_FILENO) == 1) {}

// Up to where the view began, and everything from there on away.
void Screen::clear() {
  if (shown_ > 0) std::fprintf(stderr, "\033[%zuA\r\033[J", shown_);
  shown_ = 0;
  std::fflush(stderr);
}

void Screen::show(std::span<const Member> members, double seconds) {
  if (!terminal_) return;
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) size = {24, 80, 0, 0};
  std::string text = shown_ > 0 ? "\033[" + std::to_string(shown_) + "A\r" : std::string();
  const std::vector<std::string> lines = view(members, seconds, size.ws_row);
  for (const std::string& line : lines) text += line.substr(0, size.ws_col) + "\033[K\n";
  std::fputs((text + "\033[J").c_str(), stderr);
  std::fflush(stderr);
  shown_ = lines.size();
}

void Screen::say(const std::string& line) {
  clear();
  std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace popsgd::command
