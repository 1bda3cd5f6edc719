#include "progress.h"

#include "format.h"

#include <cstdio>
#include <utility>

#include <unistd.h>

namespace popsgd::command {

ProgressLine::ProgressLine(std::string what, std::uint64_t total)
    : what_(std::move(what)), total_(total), terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (terminal_ && shown_ != Clock::time_point{}) std::fputs("\r\033[K", stderr);
}

void ProgressLine::show(std::uint64_t done) {
  if (!terminal_ || done == 0) return;
  const auto now = Clock::now();
  if (now - shown_ < std::chrono::milliseconds(100)) return;
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = static_cast<double>(done) / seconds;
  const std::string line = percent(static_cast<double>(done) / static_cast<double>(total_), 0) + "  " +
                           thousands(done) + " of " + thousands(total_) + " " + what_ + "  " +
                           thousands(static_cast<std::uint64_t>(rate)) + "/s  " +
                           duration(static_cast<double>(total_ - done) / rate) + " left";
  std::fprintf(stderr, "\rpopsgd: %s\033[K", line.c_str());
  std::fflush(stderr);
}

}  // namespace popsgd::command
