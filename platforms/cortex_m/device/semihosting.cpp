#include "device/semihosting.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace popsgd::cortex_m::semihosting {
namespace {

enum class Operation : int {
  open = 0x01,
  close = 0x02,
  write0 = 0x04,
  write = 0x05,
  read = 0x06,
  seek = 0x0A,
  command_line = 0x15,
  exit_extended = 0x20,
};

int call(Operation operation, const void* argument) {
  register int result asm("r0") = static_cast<int>(operation);
  register const void* block asm("r1") = argument;
  asm volatile("bkpt 0xAB" : "+r"(result) : "r"(block) : "memory");
  return result;
}

std::uintptr_t word(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

}  // namespace

void write(const char* text) noexcept {
  call(Operation::write0, text);
}

void write(unsigned long number) noexcept {
  std::array<char, 12> digits{};
  std::size_t at = digits.size() - 1;
  do {
    digits[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  write(digits.data() + at);
}

void exit(int status) noexcept {
  constexpr std::uintptr_t kApplicationExit = 0x20026;
  const std::array<std::uintptr_t, 2> block{kApplicationExit, static_cast<std::uintptr_t>(status)};
  while (true) call(Operation::exit_extended, block.data());
}

std::span<char> command_line(std::span<char> room) noexcept {
  std::array<std::uintptr_t, 2> block{word(room.data()), room.size()};
  if (call(Operation::command_line, block.data()) != 0) return {};
  return room.first(block[1]);
}

File::File(const char* name, Mode mode) noexcept {
  const std::array<std::uintptr_t, 3> block{word(name), static_cast<std::uintptr_t>(mode), std::strlen(name)};
  handle_ = call(Operation::open, block.data());
}

File::~File() {
  const auto handle = static_cast<std::uintptr_t>(handle_);
  if (is_open()) call(Operation::close, &handle);
}

bool File::seek(std::size_t offset) noexcept {
  const std::array<std::uintptr_t, 2> block{static_cast<std::uintptr_t>(handle_), offset};
  return call(Operation::seek, block.data()) == 0;
}

// Of both the answer is how many bytes are left.
bool File::read(std::span<std::byte> into) noexcept {
  const std::array<std::uintptr_t, 3> block{static_cast<std::uintptr_t>(handle_), word(into.data()),
                                            into.size()};
  return call(Operation::read, block.data()) == 0;
}

bool File::write(std::span<const std::byte> bytes) noexcept {
  const std::array<std::uintptr_t, 3> block{static_cast<std::uintptr_t>(handle_), word(bytes.data()),
                                            bytes.size()};
  return call(Operation::write, block.data()) == 0;
}

}  // namespace popsgd::cortex_m::semihosting
