// Checks for programs too small for a test framework: the same source runs on a board of 16 kB and on the machine that builds.
#pragma once

#include <cstdint>

namespace firmware_test {

/// Where text goes, and how the program ends: of the board, or of the host.
void print(const char* text) noexcept;
void print(unsigned long number) noexcept;

inline unsigned failures = 0;

/// Says what was promised if it is not so.
inline void check(bool holds, const char* promise) noexcept {
  if (holds) return;
  ++failures;
  print("FAILED: ");
  print(promise);
  print("\n");
}

/// Of bits that must be the same everywhere; says which they are otherwise.
inline void check_digest(std::uint32_t digest, std::uint32_t published, const char* promise) noexcept {
  check(digest == published, promise);
  if (digest == published) return;
  print("  digest ");
  print(static_cast<unsigned long>(digest));
  print(", published ");
  print(static_cast<unsigned long>(published));
  print("\n");
}

}  // namespace firmware_test
