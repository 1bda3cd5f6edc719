// For programs that an emulator runs: arguments come, and the exit status goes, by semihosting.
#include "device/semihosting.h"
#include "start/start.h"

#include <algorithm>
#include <array>
#include <span>

namespace semihosting = popsgd::cortex_m::semihosting;

extern "C" {

int main(int count, char** arguments);
// newlib's own, in programs that use its console and files; and its end of a program.
[[gnu::weak]] void initialise_monitor_handles();
[[gnu::weak]] void exit(int status);

}  // extern "C"

namespace {

// Takes a line apart where it lies.
int take_apart(std::span<char> line, std::span<char*> arguments) {
  std::size_t count = 0;
  for (auto at = line.begin(); at != line.end() && *at != 0 && count + 1 < arguments.size();) {
    const char end = *at == '"' ? *at++ : ' ';
    arguments[count++] = &*at;
    at = std::find_if(at, line.end(), [end](char c) { return c == end || c == 0; });
    if (at == line.end() || *at == 0) break;
    *at++ = 0;
    at = std::find_if(at, line.end(), [](char c) { return c != ' '; });
  }
  return static_cast<int>(count);
}

}  // namespace

void fault() noexcept {
  semihosting::write("fault\n");
  semihosting::exit(3);
}

void run() noexcept {
  if (initialise_monitor_handles != nullptr) initialise_monitor_handles();
  static std::array<char, 512> line{};
  static std::array<char*, 16> arguments{};
  const int count = take_apart(semihosting::command_line(line), arguments);
  const int status = main(count, arguments.data());
  if (exit != nullptr) exit(status);
  semihosting::exit(status);
}
