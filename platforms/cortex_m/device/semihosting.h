// What a debugger, or an emulator, does for a program on a board: Arm's Semihosting for AArch32 and AArch64, release 2.0.
#pragma once

#include <cstddef>
#include <span>

namespace popsgd::cortex_m::semihosting {

/// Zero-terminated.
void write(const char* text) noexcept;

/// A number, as decimals.
void write(unsigned long number) noexcept;

/// Ends the emulation with this status; does not return.
[[noreturn]] void exit(int status) noexcept;

/// The program's name and its arguments, each between double quotes if it holds spaces; empty if there is no room for it.
[[nodiscard]] std::span<char> command_line(std::span<char> room) noexcept;

/// A file of the host.
class File {
 public:
  enum class Mode : int { read = 1, update = 3, create = 5 };  ///< of fopen: "rb", "r+b", "wb"
  explicit File(const char* name, Mode mode) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  File(File&&) = delete;
  File& operator=(File&&) = delete;
  ~File();

  [[nodiscard]] bool is_open() const noexcept { return handle_ >= 0; }
  [[nodiscard]] bool seek(std::size_t offset) noexcept;
  /// Whether all of it was read or written.
  [[nodiscard]] bool read(std::span<std::byte> into) noexcept;
  [[nodiscard]] bool write(std::span<const std::byte> bytes) noexcept;

 private:
  int handle_;
};

}  // namespace popsgd::cortex_m::semihosting
